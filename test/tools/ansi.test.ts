import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { ansiToHtml } from '../../tools/screenshots/ansi.ts';

const painted = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { validateStream: false });

test('colours become classes, nested ones too, and end where they end', () => {
  const text = `${painted('green', `Run ${painted('bold', 'x')} done`)}, ${painted('red', 'not')} here`;
  expect(ansiToHtml(text)).toBe(
    '<span class="green">Run </span><span class="green bold">x</span><span class="green"> done</span>, <span class="red">not</span> here',
  );
});

test('what a terminal shows is text', () => {
  expect(ansiToHtml('<b>&</b>')).toBe('&lt;b&gt;&amp;&lt;/b&gt;');
});
