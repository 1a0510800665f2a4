/** What the page carries for its script: the list comes out of its packing as it went in. */
import { expect, it } from 'vitest';
import { DEFAULT_TERMS } from '../../../domain/money.ts';
import {
  type ContactData,
  packed,
  REASONS_SEPARATOR,
  unpacked,
} from '../../../lambda/render-report/client/page-data.ts';

const REASONS = [
  '4 visits to Downgrade in 7 days, typically 0 · 2 adverts per free song, typically 0.1',
  '1 visit to Downgrade in 7 days, typically 0 · 0.3 adverts per free song, typically 0.1',
  'nothing stands out',
  '',
  'oneword',
  ' · · a  b ·',
  '<b> · 7 x',
];
const DATA: ContactData = {
  terms: DEFAULT_TERMS,
  users: REASONS.map((reasons, index) => ({
    id: `u${index}`,
    probability: 0.5 ** index,
    level: 'paid',
    reasons,
  })),
  bins: [
    { users: 10, expected: 3.25 },
    { users: 0, expected: 0 },
  ],
  tested: [{ users: 7, expected: 2 }],
  total: null,
  runId: 'run-1',
};

it('the list comes out of the page as it went in', () => {
  expect(unpacked(JSON.parse(JSON.stringify(packed(DATA))))).toEqual(DATA);
});

it('figures keep ten digits', () => {
  const exact = { ...DATA, bins: [{ users: 3, expected: 1 / 3 }] };
  expect(unpacked(packed(exact)).bins).toEqual([{ users: 3, expected: 0.333_333_333_3 }]);
});

it('words that many users have are in the page once', () => {
  const text = JSON.stringify(packed(DATA));
  expect(text.split('adverts per free song')).toHaveLength(2);
  expect(text).not.toContain(REASONS_SEPARATOR + 2);
});
