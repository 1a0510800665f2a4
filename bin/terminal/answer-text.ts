/** Rows of a query as a table for people, or as CSV or JSON for programs. Pure functions. */

export const ANSWER_FORMATS = ['table', 'csv', 'json'] as const;
export type AnswerFormat = (typeof ANSWER_FORMATS)[number];

type Row = Readonly<Record<string, string | null>>;

/** Wider cells are cut in a table. */
const WIDEST = 60;
const NUMBER = /^-?[\d.]+(e-?\d+)?$/i;
/** More decimals than people read; CSV and JSON keep them all. */
const LONG_NUMBER = /^-?\d+\.\d{7,}$/;
const DIGITS = 4;

export function answerText(rows: readonly Row[], format: AnswerFormat): string {
  const columns = Object.keys(rows[0] ?? {});
  switch (format) {
    case 'json':
      return `${JSON.stringify(rows, undefined, 2)}\n`;
    case 'csv':
      return [columns, ...rows.map((row) => columns.map((name) => row[name] ?? ''))]
        .map((cells) => `${cells.map(csvCell).join(',')}\n`)
        .join('');
    case 'table':
      return tableText(columns, rows);
  }
}

function tableText(columns: readonly string[], rows: readonly Row[]): string {
  if (rows.length === 0) return '(no rows)\n';
  const isNumber = columns.map((name) =>
    rows.every((row) => row[name] === null || NUMBER.test(row[name] ?? '')),
  );
  const cells = rows.map((row) =>
    columns.map((name, at) => (isNumber[at] === true ? rounded(row[name] ?? '–') : cut(row[name] ?? '–'))),
  );
  const widths = columns.map((name, at) =>
    Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `${row
      .map((cell, at) =>
        isNumber[at] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd()}\n`;
  return [line(columns), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)].join('');
}

function rounded(text: string): string {
  return LONG_NUMBER.test(text) ? String(Number(Number(text).toPrecision(DIGITS))) : text;
}

/** A cell on one line: control characters in the data could write anywhere on a terminal. */
function cut(text: string): string {
  const plain = [...text]
    .map((character) => ((character.codePointAt(0) ?? 0) < 0x20 || character === '\x7f' ? ' ' : character))
    .join('');
  return plain.length > WIDEST ? `${plain.slice(0, WIDEST - 1)}…` : plain;
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
