/** How many events each day has, with the days that are missing or thin. */

import { type DayEvents, findHoles, type Hole } from '../../../domain/holes.ts';
import type { RunDetail } from '../../../domain/records.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { counted, day, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

const MOST_STEPS = 250;
/** More than so many days are listed by number only. */
const MOST_LISTED = 20;

/** Undefined for results of older versions, which do not have the days. */
export async function volumeSection({ features }: RunDetail, book: ChartBook): Promise<Html | undefined> {
  const { days } = features;
  if (days === undefined || days.length === 0) return undefined;
  const holes = findHoles(days, features);
  return html`<section class="long" id="volume">
<h2>Events per day</h2>
<p>Signed-in events of each UTC day, ${day(features.firstDay)} to ${day(days.at(-1)?.day ?? features.firstDay)}. ${holesText(holes)}</p>
<figure>${await chart(days, holes, book)}</figure>
${holes.length === 0 ? undefined : holesTable(holes)}
</section>`;
}

function holesText(holes: readonly Hole[]): Html {
  if (holes.length === 0)
    return html`No day is missing, and none has far fewer events than the days around it.`;
  return html`Marked: ${counted(holes.length, 'day')} without events or with less than a fifth of what is usual around it. Features that
look back over such a day are too low; deliver what is missing, and run again.`;
}

function holesTable(holes: readonly Hole[]): Html {
  return table({
    caption:
      holes.length > MOST_LISTED
        ? `The newest ${MOST_LISTED} of ${whole(holes.length)}`
        : 'Days that are missing or thin',
    columns: [
      { heading: 'Day', cell: (hole: Hole) => day(hole.day) },
      { heading: 'Events', isNumber: true, cell: ({ events }) => whole(events) },
      { heading: 'Usual around it', isNumber: true, cell: ({ usual }) => whole(Math.round(usual)) },
    ],
    rows: holes.toReversed().slice(0, MOST_LISTED),
  });
}

/** The days in order, those without events among them: a line over them would say that they had some. */
function withMissing(days: readonly DayEvents[], holes: readonly Hole[]): DayEvents[] {
  const missing = holes.filter(({ events }) => events === 0);
  return [...days, ...missing]
    .map(({ day: of, events }) => ({ day: of, events }))
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}

function chart(days: readonly DayEvents[], holes: readonly Hole[], book: ChartBook): Promise<Html> {
  const x = {
    field: 'day',
    type: 'temporal',
    scale: { type: 'utc' },
    axis: { title: null, tickCount: 8, format: '%d %b %y' },
  } as const;
  const tooltip = [
    { field: 'day', title: 'day', type: 'temporal', format: '%a %d %b %Y' },
    { field: 'events', title: 'events', type: 'quantitative', format: ',' },
  ] as const;
  return book.draw(
    'volume-by-day',
    {
      width: 820,
      height: 180,
      layer: [
        {
          data: { values: withMissing(days, holes) },
          mark: {
            type: 'area',
            color: COLOURS.accent,
            opacity: 0.35,
            line: { color: COLOURS.accent },
            // Of so many days a step is narrower than a line.
            interpolate: days.length > MOST_STEPS ? 'linear' : 'step',
          },
          encoding: {
            x,
            y: { field: 'events', type: 'quantitative', axis: { title: null, tickCount: 4, format: '~s' } },
            tooltip: [...tooltip],
          },
        },
        {
          data: { values: holes.map(({ day: of, events }) => ({ day: of, events })) },
          mark: { type: 'point', shape: 'triangle-up', filled: true, size: 90, color: COLOURS.contrast },
          encoding: { x, y: { field: 'events', type: 'quantitative' }, tooltip: [...tooltip] },
        },
      ],
    },
    `Events per day over ${counted(days.length, 'day')}; ${counted(holes.length, 'day')} missing or thin`,
  );
}
