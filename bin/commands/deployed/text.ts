/** Outcomes of deployed runs as text. Pure functions. */
import { duration } from '../../terminal/words.ts';
import type { Outcome } from './outcome.ts';

/** Several lines about one run. */
export function outcomeText({ status, runId, text, report, console: link, seconds }: Outcome): string {
  const headline = `Run ${runId}: ${words(status)} after ${duration(seconds * 1_000)}.`;
  const lines = [
    headline,
    ...(text === ''
      ? []
      : text
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`)),
    ...(report === null ? [] : [`  Report: ${report} (churn report --stage … opens it)`]),
    `  Console: ${link}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** A table with one line per run, newest first. */
export function listText(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return 'There are no runs yet: `churn start` starts one.\n';
  const rows = outcomes.map(({ runId, status, startedAt, seconds, text }) => [
    runId,
    words(status),
    `${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    duration(seconds * 1_000),
    firstSentence(status, text),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function words(status: Outcome['status']): string {
  return status.toLowerCase().replaceAll('_', ' ');
}

/** The reason why the run did not succeed or had nothing to do; the details of a success are in its report. */
function firstSentence(status: Outcome['status'], text: string): string {
  if (status === 'SUCCEEDED' || status === 'RUNNING') return '';
  const [line = ''] = text.split('\n');
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
