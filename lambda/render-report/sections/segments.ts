/** Users who behave alike: how many, how they differ from the others, and how many of them cancel. */
import { CHANNELS } from '../../../domain/features/channels.ts';
import { segmentNames, usualRates } from '../../../domain/features/segment-name.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import { decimal, percent } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

export function segmentsSection({ training }: TrainedDetail): Html | undefined {
  const { segments } = training;
  if (segments.length < 2) return undefined;
  const names = segmentNames(segments);
  const usual = usualRates(segments);
  return html`<section id="segments">
<h2>Users who behave alike</h2>
<p>Users are assigned to segments by the rates at which they visit a few pages, without looking at who cancels. Shares of those who
cancel are of training rows, within the horizon.</p>
${table({
  caption: 'Segments of users, the largest first',
  columns: [
    { heading: 'Segment', cell: (_, index) => names[index] ?? '' },
    { heading: 'Users', isNumber: true, cell: ({ size }) => percent(size) },
    { heading: 'Cancel while free', isNumber: true, cell: ({ freeHazard }) => percent(freeHazard) },
    { heading: 'Cancel while paying', isNumber: true, cell: ({ paidHazard }) => percent(paidHazard) },
  ],
  rows: segments,
})}
<details><summary>Rates</summary>
${table({
  caption: 'Events of a segment per 100 occasions, and how many times the usual that is',
  columns: [
    { heading: 'Segment', cell: (_, index) => names[index] ?? '' },
    ...CHANNELS.map(({ label }, channel) => ({
      heading: label,
      isNumber: true,
      cell: ({ rates }: (typeof segments)[number]) => {
        const rate = rates[channel]?.rate;
        return rate === undefined
          ? '–'
          : html`${decimal(100 * rate, 2)}<small>× ${decimal(rate / (usual[channel] ?? rate), 1)}</small>`;
      },
    })),
  ],
  rows: segments,
})}
</details>
</section>`;
}
