/** The summary of a run as text. */
import { dirname } from 'node:path';
import { lakeText } from '../../domain/event-changes.ts';
import { metricsShownIn, metricText, modelLabel } from '../../domain/metrics.ts';
import { returnsText } from '../../domain/users-text.ts';
import type { RunSummary } from '../../local/run/run-summary.ts';
import { type Paint, plain } from './paint.ts';
import { count, duration } from './words.ts';

/** A summary of a dozen lines. */
export function summaryText(summary: RunSummary, paint: Paint = plain): string {
  switch (summary.status) {
    case 'SUCCEEDED':
      return lines([
        paint('green', `Run ${summary.runId} succeeded.`),
        ...summary.sentences.map((sentence) => `  ${paint('bold', '•')} ${sentence}`),
        ...outcome(summary),
        ...(summary.newestDay === null ? [] : [newestDay(summary.newestDay)]),
        ...summary.warnings.map((warning) => ['Warning', `${warning}.`] as const),
        ['Time', stateTimes(summary)],
        ['Report', summary.report],
        ...campaign(summary.campaign ?? null),
        ['Next', paint('bold', `npm run churn -- report --lake ${lakeOf(summary.report)}`)],
      ]);
    case 'NOTHING_TO_DO':
      return lines([
        `Nothing to do: ${summary.reason}`,
        ...(summary.report === null ? [] : [['Report', `${summary.report} (of the last run)`] as const]),
        ['Run anyway', 'npm start -- --force runs on the files that are already in the lake'],
      ]);
    default:
      return lines([
        paint('red', headline(summary.status, summary.runId)),
        ['State', summary.error.state],
        ['Why', summary.error.message],
        ['What to do', summary.error.whatToDo],
        // A run with logs has a plan, so it can be resumed.
        ...(summary.logs === null
          ? []
          : [['Resume', `npm start -- --resume ${summary.runId} (with the same --lake)`] as const]),
        ...(summary.logs === null ? [] : [['Logs', summary.logs] as const]),
        ...(summary.states.length === 0 ? [] : [['Time', stateTimes(summary)] as const]),
      ]);
  }
}

function newestDay({ day, ageDays }: { readonly day: string; readonly ageDays: number }): Line {
  return ['Newest day', `${day}, ${count(ageDays)} ${ageDays === 1 ? 'day' : 'days'} before the run`];
}

function campaign(list: Extract<RunSummary, { status: 'SUCCEEDED' }>['campaign'] | null): Line[] {
  if (list === null || list === undefined) return [];
  const users = `${count(list.users)} ${list.users === 1 ? 'user' : 'users'} to contact`;
  return [['List', `${list.file} (${users}; kept for ${count(list.days)} days)`]];
}

/** The folder of the lake in which a report is. */
function lakeOf(report: string): string {
  const folder = dirname(dirname(report));
  return /[^\w./-]/.test(folder) ? `'${folder}'` : folder;
}

type Line = string | readonly [label: string, text: string];

const LABEL_WIDTH = 12;

function lines(all: readonly Line[]): string {
  const indented = (text: string): string => text.replaceAll('\n', `\n${' '.repeat(LABEL_WIDTH + 2)}`);
  return all
    .map((line) => (typeof line === 'string' ? line : `  ${line[0].padEnd(LABEL_WIDTH)}${indented(line[1])}`))
    .map((line) => `${line}\n`)
    .join('');
}

function headline(status: 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'REFUSED', runId: string): string {
  const words = {
    FAILED: `Run ${runId} failed.`,
    TIMED_OUT: `Run ${runId} exceeded its time limit and was stopped.`,
    ABORTED: `Run ${runId} was stopped; none of its processes is left.`,
    REFUSED: 'The run was refused.',
  };
  return words[status];
}

function outcome({
  counts,
  lake,
  changes,
  users,
  scored,
  cancellations,
  returnedUsers,
  secondCancellations,
  model,
  notTrained,
}: Extract<RunSummary, { status: 'SUCCEEDED' }>): Line[] {
  const returns = returnsText({ returnedUsers, secondCancellations }, count);
  const metrics = metricsShownIn('terminal').flatMap((metric) => {
    const value = model.metrics[metric.name];
    return value === undefined ? [] : [`${metric.label} ${metricText(metric, value)}`];
  });
  return [
    [
      'Rows',
      `${count(counts.read)} read: ${count(counts.accepted)} accepted, ${count(counts.quarantined)} refused, ` +
        `${count(counts.duplicates)} duplicates`,
    ],
    ...(lake === null
      ? []
      : [
          [
            'Lake',
            `${lakeText({ lake, changes, counts }) ?? ''}; from ${count(lake.files)} ${lake.files === 1 ? 'file' : 'files'}`,
          ] as const,
        ]),
    [
      'Users',
      [
        `${count(users)}, of whom ${count(cancellations)} cancelled`,
        ...(returns ? [returns] : []),
        `${count(scored)} scored`,
      ].join('; '),
    ],
    [
      'Model',
      `${modelLabel(model.name)}: ${notTrained === null ? metrics.join(', ') : `not trained, as ${notTrained}`}`,
    ],
  ];
}

function stateTimes({ states }: Pick<RunSummary, 'states'>): string {
  const total = states.reduce((sum, { seconds }) => sum + seconds, 0);
  const each = states.map(({ name, seconds, status }) => {
    const mark = status === 'SUCCEEDED' ? '' : ` (${status.toLowerCase()})`;
    return `${name} ${duration(seconds * 1_000)}${mark}`;
  });
  return `${duration(total * 1_000)}: ${each.join(', ')}`;
}
