import { expect, it } from 'vitest';
import { OutputLines } from '../../../local/spark/output-lines.ts';

it('puts together lines that arrive in pieces, and hands on the last without an ending', () => {
  const lines: string[] = [];
  const output = new OutputLines((line) => lines.push(line));
  for (const piece of ['a', 'b\n\nc', '\nd']) output.push(piece);
  expect(lines).toEqual(['ab', '', 'c']);
  output.end();
  output.end();
  expect(lines).toEqual(['ab', '', 'c', 'd']);
});
