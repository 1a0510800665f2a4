/** A tagged template for HTML: every value is escaped unless it is markup made by this template. */

/** Finished markup. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlValue = string | number | Html | readonly Html[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup with values filled in; lists of markup are joined, undefined is left out. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((markup, part, index) => markup + rendered(values[index - 1]) + part));
}

/** Text that no browser interprets as markup, in content or in a quoted attribute. */
export function escaped(text: string): string {
  return printable(text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? ''));
}

/** Text with a visible replacement for each control character. */
export function printable(text: string): string {
  return [...text].map((character) => (isControl(character) ? '\u{fffd}' : character)).join('');
}

function rendered(value: HtmlValue): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'number') return String(value);
  if (value instanceof Html) return value.markup;
  return value.map(({ markup }) => markup).join('\n');
}

/** Control characters and the marks that reverse the direction of text: both can make a text look like another. */
function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  const isTurn = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return code < 0x20 ? !'\t\n'.includes(character) : code === 0x7f || isTurn;
}
