/** The chapters of the page, in the order in which people ask. */
import { EXPLORATION_ANCHOR } from '../../domain/exploration.ts';

export interface Chapter {
  readonly id: string;
  readonly title: string;
  /** The question that it answers. */
  readonly lead: string;
}

export const CHAPTERS = {
  contact: {
    id: 'whom-to-contact',
    title: 'Whom to contact',
    lead: 'The users for whom an offer is expected to earn more than it costs.',
  },
  believe: {
    id: 'can-i-believe-it',
    title: 'Can I believe it?',
    lead: 'How the models did on users and days that they had not seen, and whether the users have changed since.',
  },
  drives: {
    id: 'what-drives-it',
    title: 'What drives it',
    lead: 'What the model looks at. It is no statement about causes.',
  },
  leaves: {
    id: EXPLORATION_ANCHOR,
    title: 'Who leaves',
    lead: 'How users who cancelled differ from those who stayed, and how long users stay.',
  },
  data: {
    id: 'the-data',
    title: 'The data',
    lead: 'What was read, what was refused and why, and whether it adds up.',
  },
  time: {
    id: 'over-time',
    title: 'Over time',
    lead: 'Quality, drift, volume, duration, cost and promotions of the runs so far.',
  },
  made: {
    id: 'how-it-was-made',
    title: 'How it was made',
    lead: 'What is needed to check this run or to repeat it, and what it took.',
  },
  segments: {
    id: 'segments-of-users',
    title: 'Segments',
    lead: 'Users who behave alike: how many cancel, what is at risk, and who has moved.',
  },
} as const satisfies Readonly<Record<string, Chapter>>;
