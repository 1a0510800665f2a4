/** Tables of figures for the terminal, and how figures are written in them. */
import { count } from '../bin/terminal/words.ts';

/** Lines of cells below each other: the first cell of each to the left, the others to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(...rows.map((row) => (row[index] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, index) =>
          index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const seconds = (value: number): string => value.toFixed(1);
export const ratio = (value: number, of: number): string => (value / of).toFixed(2);
export const percent = (value: number, of: number): string =>
  of === 0 ? '' : `${Math.round((100 * value) / of)} %`;
export const megabytes = (bytes: number): string => count(Math.round(bytes / 1e6));
