/** At which hours of the day users are there: those who cancelled beside those who stayed. */
import type { Exploration } from '../../../domain/results.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { percent } from '../format.ts';
import { type Html, html } from '../html.ts';

const CHURNED = 'cancelled';
const STAYED = 'stayed';

/** Undefined for results of older versions, and where one of the two was never there. */
export async function hoursFigure({ hours }: Exploration, book: ChartBook): Promise<Html | undefined> {
  const known = hours.flatMap(({ name, churned, stayed }) =>
    churned === null || stayed === null ? [] : [{ hour: Number(name), churned, stayed }],
  );
  if (known.length === 0) return undefined;
  const values = known.flatMap(({ hour, churned, stayed }) => [
    { hour, users: CHURNED, share: churned },
    { hour, users: STAYED, share: stayed },
  ]);
  const most = (of: 'churned' | 'stayed') => known.reduce((best, one) => (one[of] > best[of] ? one : best));
  const [churnedMost, stayedMost] = [most('churned'), most('stayed')];
  const chart = await book.draw(
    'hours-of-use',
    {
      width: 260,
      height: 200,
      data: { values },
      mark: { type: 'line', point: true, strokeWidth: 2 },
      encoding: {
        x: {
          field: 'hour',
          type: 'quantitative',
          scale: { domain: [0, 23] },
          axis: { title: 'hour of the day, UTC', tickCount: 8, format: 'd' },
        },
        y: {
          field: 'share',
          type: 'quantitative',
          scale: { zero: true },
          axis: { title: 'share of their hours of use', format: '.0%', tickCount: 5 },
        },
        color: {
          field: 'users',
          type: 'nominal',
          scale: { domain: [CHURNED, STAYED], range: [COLOURS.contrast, COLOURS.accent] },
          legend: { title: null, orient: 'bottom' },
        },
        tooltip: [
          { field: 'hour', title: 'hour from', type: 'quantitative' },
          { field: 'users', title: 'users' },
          { field: 'share', title: 'share of their hours of use', type: 'quantitative', format: '.1%' },
        ],
      },
    },
    `Share of the hours of use by hour of the day: the most for those who ${CHURNED} from ${churnedMost.hour}:00 (${percent(churnedMost.churned)}), for those who ${STAYED} from ${stayedMost.hour}:00 (${percent(stayedMost.stayed)})`,
  );
  return html`<figure><h3>Hours of the day (UTC)</h3>${chart}</figure>`;
}
