import { expect, it } from 'vitest';
import { compareKeys } from '../../domain/key-order.ts';
import { seeded } from '../support/seeded.ts';

const bytes = (key: string): Buffer => Buffer.from(key, 'utf8');

it('is the order of the bytes of UTF-8, where JavaScript has another', () => {
  const [emoji, fullWidth] = ['a/\u{1f600}', 'a/\uff5e'];
  expect(emoji < fullWidth).toBe(true);
  expect(compareKeys(emoji, fullWidth)).toBeGreaterThan(0);
  expect(compareKeys(fullWidth, emoji)).toBeLessThan(0);
});

it('agrees with the bytes for random keys', () => {
  const random = seeded(7);
  const letters = [
    'a',
    'b',
    '/',
    '-',
    '\u007f',
    'é',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  ];
  const key = () => Array.from({ length: random(4) }, () => letters[random(letters.length)] ?? '').join('');
  for (let pair = 0; pair < 20_000; pair += 1) {
    const [a, b] = [key(), key()];
    expect(Math.sign(compareKeys(a, b)), JSON.stringify([a, b])).toBe(Buffer.compare(bytes(a), bytes(b)));
  }
});
