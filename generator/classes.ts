/** The classes of users, and how each differs from the typical one. Fitted to the published logs. */
import type { Page } from '../domain/events.ts';
import type { MovingStanding } from './follows.ts';

/** Single probabilities that a class changes, by standing, page, and next page. */
export type Changes = Readonly<
  Partial<
    Record<MovingStanding, Readonly<Partial<Record<Page, Readonly<Partial<Record<Page | 'end', number>>>>>>>
  >
>;

export interface UserClass {
  readonly name: 'typical' | 'advert-ridden' | 'grumpy' | 'happy';
  /** Share of all users. */
  readonly share: number;
  /** Share of the class that pays when the log begins. */
  readonly paidAtStart: number;
  readonly changes: Changes;
}

export const USER_CLASSES: readonly UserClass[] = [
  { name: 'typical', share: 0.683, paidAtStart: 0.21, changes: {} },
  {
    name: 'advert-ridden',
    share: 0.115,
    paidAtStart: 0.21,
    changes: {
      'signed in free': {
        NextSong: { 'Roll Advert': 0.15, 'Thumbs Down': 0.019, end: 0.0023 },
        'Roll Advert': { 'Roll Advert': 0.067, Cancel: 0.0095, Upgrade: 0.006, end: 0.005 },
        'Thumbs Down': { Cancel: 0.012 },
        Settings: { Cancel: 0.012 },
      },
      'signed in paid': {
        NextSong: { 'Thumbs Up': 0.04, Downgrade: 0.015, 'Roll Advert': 0.01, end: 0.0073 },
        'Roll Advert': { Cancel: 0.047, Downgrade: 0.06, 'Roll Advert': 0.037, end: 0.012 },
        'Thumbs Down': { Cancel: 0.004, Downgrade: 0.04 },
        Downgrade: { 'Submit Downgrade': 0.092, Cancel: 0.024, end: 0.001 },
        Settings: { Cancel: 0.022, Downgrade: 0.025 },
      },
    },
  },
  {
    name: 'grumpy',
    share: 0.096,
    paidAtStart: 0.17,
    changes: {
      'signed in free': {
        NextSong: { 'Thumbs Down': 0.0305, Upgrade: 0.0068, end: 0.0051 },
        'Roll Advert': { Cancel: 0.0048, end: 0.065 },
        'Thumbs Down': { Cancel: 0.0045 },
        Upgrade: { 'Submit Upgrade': 0.213, end: 0.075 },
        Settings: { Cancel: 0.0085 },
      },
      'signed in paid': {
        NextSong: { 'Thumbs Down': 0.0308, Downgrade: 0.0158, end: 0.0061 },
        'Thumbs Down': { Cancel: 0.004, Downgrade: 0.0325 },
        Downgrade: { 'Submit Downgrade': 0.064, Cancel: 0.019, end: 0.0026 },
        Settings: { Cancel: 0.021, Downgrade: 0.024 },
      },
    },
  },
  {
    name: 'happy',
    share: 0.106,
    paidAtStart: 0.3,
    changes: {
      'signed in free': {
        NextSong: { 'Thumbs Up': 0.09, Upgrade: 0.02, end: 0.0021 },
        'Thumbs Up': { Upgrade: 0.032, end: 0.017 },
        'Roll Advert': { Cancel: 0.002, end: 0.058 },
        'Thumbs Down': { Cancel: 0 },
        Upgrade: { 'Submit Upgrade': 0.4 },
        Settings: { Cancel: 0.001, Upgrade: 0.0145 },
      },
      'signed in paid': {
        NextSong: { 'Thumbs Up': 0.09, Downgrade: 0.0049, end: 0.0058 },
        'Roll Advert': { Cancel: 0 },
        'Thumbs Down': { Cancel: 0.001, Downgrade: 0.0065, end: 0.026 },
        Downgrade: { 'Submit Downgrade': 0.0225, Cancel: 0.005 },
        Settings: { Cancel: 0.0012 },
      },
    },
  },
];
