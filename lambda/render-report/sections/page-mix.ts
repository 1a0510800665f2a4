/** What users did day by day: how often each page came, and which page, level, authentication state or device has gone quiet or is new. */
import type { RunDetail } from '../../../domain/records.ts';
import { type DailySources, type SourceChange, sourceChanges, sourceText } from '../../../domain/sources.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { counted, day, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

/** Pages that are drawn; the table has all. */
const MOST_DRAWN = 12;
const COLUMNS = 4;
/** Days that the table compares with those before. */
const NEWEST_DAYS = 7;

type Counts = DailySources['counts'][number];

/** Undefined for results of older versions, and for logs that are too short to compare anything. */
export async function pageMixSection({ features }: RunDetail, book: ChartBook): Promise<Html | undefined> {
  const { sources } = features;
  if (sources === undefined || sources.days.length <= NEWEST_DAYS) return undefined;
  const changes = sourceChanges(sources);
  return html`<section class="long" id="page-mix">
<h2>What users did, day by day</h2>
<p>The newest ${counted(sources.days.length, 'day')}. ${changesText(changes)}</p>
<figure>${await chart(sources, book)}<figcaption>Visits per 1,000 events of the day, of the pages that came most; each has its own
scale.</figcaption></figure>
<details><summary>Data</summary>${table({
    caption: `Shares of the events, of devices of the users, in the newest ${NEWEST_DAYS} days and in the days before`,
    columns: [
      { heading: 'Source', cell: (one: Counts) => sourceText(one) },
      {
        heading: `Newest ${NEWEST_DAYS} days`,
        isNumber: true,
        cell: (one) => shareText(one, sources, -NEWEST_DAYS),
      },
      { heading: 'Before', isNumber: true, cell: (one) => shareText(one, sources, 0, -NEWEST_DAYS) },
      { heading: 'All', isNumber: true, cell: ({ counts }) => whole(sum(counts)) },
    ],
    rows: sources.counts.filter(({ counts }) => sum(counts) > 0),
  })}</details>
</section>`;
}

function changesText(changes: readonly SourceChange[]): string {
  if (changes.length === 0)
    return 'No page, level, authentication state or device has gone quiet, and none is new.';
  const named = changes.map((source) =>
    source.change === 'quiet'
      ? `the ${sourceText(source)} has not appeared since ${day(source.day)}`
      : `the ${sourceText(source)} is new since ${day(source.day)}`,
  );
  return `Something has changed: ${named.join('; ')}.`;
}

function shareText({ kind, counts }: Counts, { days }: DailySources, from: number, to?: number): string {
  const base = days.map(({ events, users }) => (kind === 'device' ? users : events));
  const all = sum(base.slice(from, to));
  return all === 0 ? '–' : percent(sum(counts.slice(from, to)) / all);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function chart({ days, counts }: DailySources, book: ChartBook): Promise<Html> {
  const drawn = counts
    .filter(({ kind, counts: seen }) => kind === 'page' && sum(seen) > 0)
    .toSorted((a, b) => sum(b.counts) - sum(a.counts))
    .slice(0, MOST_DRAWN);
  const values = drawn.flatMap(({ name, counts: seen }) =>
    days.flatMap(({ day: of, events }, index) =>
      events === 0 ? [] : [{ page: name, day: of, rate: (1_000 * (seen[index] ?? 0)) / events }],
    ),
  );
  return book.draw(
    'page-mix-by-day',
    {
      data: { values },
      columns: COLUMNS,
      facet: {
        field: 'page',
        type: 'nominal',
        sort: drawn.map(({ name }) => name),
        header: { title: null, labelColor: 'var(--ink)', labelFontSize: 12 },
      },
      spec: {
        width: 170,
        height: 70,
        mark: { type: 'line', color: COLOURS.accent },
        encoding: {
          x: {
            field: 'day',
            type: 'temporal',
            scale: { type: 'utc' },
            axis: { title: null, tickCount: 3, format: '%d %b' },
          },
          y: { field: 'rate', type: 'quantitative', axis: { title: null, tickCount: 3, format: '~s' } },
          tooltip: [
            { field: 'page' },
            { field: 'day', title: 'day', type: 'temporal', format: '%a %d %b %Y' },
            { field: 'rate', title: 'visits per 1,000 events', type: 'quantitative', format: ',.1f' },
          ],
        },
      },
      resolve: { scale: { y: 'independent' } },
    },
    `Visits per 1,000 events, day by day, of ${counted(drawn.length, 'page')}`,
  );
}
