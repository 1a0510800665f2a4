/** A question on a terminal: yes is yes, and nothing else is. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { isAnsweredYes } from '../../../bin/terminal/ask.ts';

const ask = (answer: string | undefined, isTTY = true) => {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  const answered = isAnsweredYes('Shall it?', '--yes does it', { input, output });
  input.end(answer === undefined ? '' : `${answer}\n`);
  return { answered, output };
};

it.each(['y', 'yes', 'Y', ' YES '])('%j is a yes', async (answer) => {
  const { answered, output } = ask(answer);
  expect(await answered).toBe(true);
  expect(String(output.read())).toContain('Shall it? [y/N]');
});

it.each(['', 'n', 'no', 'yess', 'of course', undefined])('%j is none', async (answer) => {
  expect(await ask(answer).answered).toBe(false);
});

it('is not asked where nobody can answer', async () => {
  await expect(ask('y', false).answered).rejects.toThrow('Shall it? Nobody can answer here: --yes does it.');
});
