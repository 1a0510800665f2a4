/** What a terminal shows, as HTML: text with the few colours that the command line uses. */

const ESCAPE = String.fromCharCode(27);
const SEQUENCE = new RegExp(`${ESCAPE}\\[([\\d;]*)m`, 'g');

/** CSS class by code; the codes that end a style are those that `styleText` writes. */
const CLASSES: Readonly<Record<string, string>> = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
};
const ENDS: Readonly<Record<string, readonly string[]>> = {
  22: ['bold', 'dim'],
  39: ['red', 'green', 'yellow'],
};

/** Markup of the text between `pre` tags; whatever else the text has is escaped. */
export function ansiToHtml(text: string): string {
  let open: readonly string[] = [];
  let markup = '';
  let at = 0;
  const write = (part: string): void => {
    if (part === '') return;
    markup += open.length === 0 ? escaped(part) : `<span class="${open.join(' ')}">${escaped(part)}</span>`;
  };
  for (const { 0: sequence, 1: codes = '', index } of text.matchAll(SEQUENCE)) {
    write(text.slice(at, index));
    at = index + sequence.length;
    for (const code of codes.split(';')) open = after(open, code);
  }
  write(text.slice(at));
  return markup;
}

function after(open: readonly string[], code: string): readonly string[] {
  if (code === '' || code === '0') return [];
  const begun = CLASSES[code];
  if (begun !== undefined) return [...open, begun];
  return open.filter((name) => ENDS[code]?.includes(name) !== true);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
