/** Markdown from data. */

/** A table; `|` and line breaks in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(cell).join(' | ')} |`)
    .join('\n');
}

/** A page: title, a line on where it comes from, and its parts, with empty lines between them. */
export function page(title: string, source: string, parts: readonly string[]): string {
  const origin = `Derived from ${source} by \`npm run docs\`: change it there.`;
  return `${[`# ${title}`, origin, ...parts].join('\n\n')}\n`;
}

export const code = (text: string): string => `\`${text}\``;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
