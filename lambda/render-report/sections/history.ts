/** Quality, drift, volume, cost and duration, run after run. */
import { metricOf, metricText, modelLabel } from '../../../domain/metrics.ts';
import type { MetricName } from '../../../domain/models.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { ChartBook } from '../charts.ts';
import { counted, decimal, duration, moment, shortMoment, usd, whole } from '../format.ts';
import { INDEX_FILE, type PastRun, reportFile, runBefore } from '../history.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { lineOverTime } from '../line-over-time.ts';

const QUALITY: readonly MetricName[] = ['average_precision_ratio', 'auc'];
const MOST_LISTED = 30;

export async function historySection(
  { record }: RunDetail,
  history: readonly PastRun[],
  book: ChartBook,
): Promise<Html> {
  const before = runBefore(history, record);
  const succeeded = history.filter((run) => run.record.status === 'SUCCEEDED');
  return html`<section class="long" id="history">
<h2>Run after run</h2>
<p>Recorded so far: ${counted(history.length, 'run')}, of which ${whole(succeeded.length)} succeeded. ${beforeText(before)} <a
href="${INDEX_FILE}">All reports</a> are listed beside this page. A report that was opened by a signed link from S3 stands alone: there,
<span class="id">churn report --all --stage …</span> fetches all of them into a folder, in which the links work.</p>
${
  succeeded.length < 2
    ? html`<p>The charts begin with the second run that succeeds.</p>`
    : html`<div class="pair">${await charts(succeeded, book)}</div>`
}
${promotionsText(succeeded)}
${table({
  caption: `The newest ${counted(Math.min(MOST_LISTED, history.length), 'run')}`,
  columns: [
    { heading: 'Run', cell: ({ record: run }: PastRun) => html`<span class="id">${run.run_id}</span>` },
    { heading: 'Finished (UTC)', cell: ({ record: run }) => shortMoment(run.ended_at) },
    { heading: 'Outcome', cell: outcomeText },
    ...QUALITY.map((name) => ({
      heading: metricOf(name).label,
      isNumber: true,
      cell: ({ metrics }: PastRun) =>
        metrics[name] === undefined ? '–' : metricText(metricOf(name), metrics[name].value),
    })),
    {
      heading: 'Largest drift',
      isNumber: true,
      cell: ({ drift }) => (drift === undefined ? '–' : decimal(drift, 2)),
    },
    {
      heading: 'Rows read',
      isNumber: true,
      cell: ({ record: run }) => (run.rows_read === null ? '–' : whole(run.rows_read)),
    },
    { heading: 'Took', isNumber: true, cell: ({ record: run }) => duration(milliseconds(run)) },
    {
      heading: 'Cost',
      isNumber: true,
      cell: ({ record: run }) => (run.cost_usd === null ? '–' : usd(run.cost_usd)),
    },
  ],
  rows: history.toReversed().slice(0, MOST_LISTED),
  isChosen: (run) => run.record.run_id === record.run_id,
})}
</section>`;
}

/** Which runs have put their model in charge; nothing while none has. */
function promotionsText(runs: readonly PastRun[]): Html | undefined {
  const promotions = runs.filter(isPromotion).toReversed();
  const [latest] = promotions;
  if (latest === undefined) return undefined;
  return html`<p>A new model was put in charge ${timesText(promotions.length)} in these runs, the last time on
${moment(latest.record.ended_at)}.</p>
<details><summary>Promotions</summary>
${table({
  caption: `Runs whose model was promoted, the newest ${whole(Math.min(MOST_LISTED, promotions.length))}`,
  columns: [
    { heading: 'Run', cell: ({ record }: PastRun) => html`<span class="id">${record.run_id}</span>` },
    { heading: 'Finished (UTC)', cell: ({ record }) => shortMoment(record.ended_at) },
    { heading: 'Model', cell: ({ record }) => (record.model === null ? '–' : modelLabel(record.model)) },
    { heading: 'Why', cell: ({ record }) => record.promotion_reason ?? 'no reason was recorded' },
  ],
  rows: promotions.slice(0, MOST_LISTED),
})}
</details>`;
}

function timesText(times: number): string {
  if (times === 1) return 'once';
  return times === 2 ? 'twice' : `${whole(times)} times`;
}

function isPromotion({ record }: PastRun): boolean {
  return record.promoted === true;
}

function beforeText(before: PastRun | undefined): Html {
  if (before === undefined) return html`This is the first run that succeeded.`;
  const { run_id: id, ended_at: at } = before.record;
  return before.hasReport
    ? html`The report before this one: <a class="id" href="${encodeURIComponent(reportFile(id))}">${id}</a>, of ${moment(at)}.`
    : html`The run before this one was <span class="id">${id}</span>, of ${moment(at)}; its report is not there any more.`;
}

function outcomeText({ record }: PastRun): string {
  if (record.status === 'FAILED') return 'failed';
  return record.promoted === true ? 'succeeded, model promoted' : 'succeeded';
}

function milliseconds({ ended_at: end, started_at: start }: PastRun['record']): number {
  return Date.parse(end) - Date.parse(start);
}

/** A figure by run: its chart's id, title and unit, and its value. */
interface Series {
  readonly id: string;
  readonly title: string;
  readonly format: string;
  readonly value: (run: PastRun) => number | null | undefined;
  /** Whether runs that put their model in charge are marked. */
  readonly marksPromotions?: boolean;
  readonly interval?: (
    run: PastRun,
  ) => { readonly low: number | null; readonly high: number | null } | undefined;
}

const SERIES: readonly Series[] = [
  {
    id: 'history-quality',
    title: 'Average precision over base rate',
    format: '.2f',
    value: ({ metrics }) => metrics.average_precision_ratio?.value,
    interval: ({ metrics }) => metrics.average_precision_ratio,
    marksPromotions: true,
  },
  { id: 'history-drift', title: 'Largest drift of a feature', format: '.2f', value: ({ drift }) => drift },
  { id: 'history-volume', title: 'Rows read', format: ',.0f', value: ({ record }) => record.rows_read },
  {
    id: 'history-duration',
    title: 'Minutes a run took',
    format: ',.1f',
    value: ({ record }) => milliseconds(record) / 60_000,
  },
  { id: 'history-cost', title: 'Cost in US dollars', format: ',.2f', value: ({ record }) => record.cost_usd },
];

async function charts(runs: readonly PastRun[], book: ChartBook): Promise<readonly Html[]> {
  const drawn = SERIES.map(async (series) => {
    const values = runs.flatMap((run) => {
      const value = series.value(run);
      const { low = null, high = null } = series.interval?.(run) ?? {};
      return value === null || value === undefined
        ? []
        : [
            {
              ...{ at: run.record.ended_at, run: run.record.run_id, value, low, high },
              ...(series.marksPromotions === true && isPromotion(run)
                ? { event: 'its model was promoted' }
                : {}),
            },
          ];
    });
    const marked = values.filter((value) => 'event' in value).length;
    if (values.length < 2 || values.every(({ value }) => value === 0)) return [];
    return [
      html`<figure><h3>${series.title}</h3>${await lineOverTime(book, {
        id: series.id,
        title: series.title,
        format: series.format,
        values,
        description: `${series.title}, run after run, from ${moment(values[0]?.at ?? '')}${marked === 0 ? '' : `; ${counted(marked, 'run')} marked, whose model was promoted`}`,
      })}${marked === 0 ? undefined : html`<figcaption>Diamonds: runs whose model was promoted.</figcaption>`}</figure>`,
    ];
  });
  return (await Promise.all(drawn)).flat();
}
