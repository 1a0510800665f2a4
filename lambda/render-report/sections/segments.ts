/** Users who behave alike: how many, how they differ from the others, how many of them cancel, and what that is worth. */
import { CHANNELS } from '../../../domain/features/channels.ts';
import { segmentNames, usualRates } from '../../../domain/features/segment-name.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { LivingSegment, LivingSegments, TrainingResult } from '../../../domain/results.ts';
import { money } from '../figures-text.ts';
import { counted, day, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';

/** Moves that are shown, the most users first. */
const MOST_MOVES = 10;

type Segment = TrainingResult['segments'][number];

/** By the model in charge, with the living users; by the run's own training where that has no segments. */
export function segmentsSection({ training, scoring, plan }: RunDetail): Html | undefined {
  const living = scoring.segments ?? undefined;
  const segments: readonly Segment[] = living?.segments ?? training?.segments ?? [];
  if (segments.length < 2) return undefined;
  const names = segmentNames(segments);
  const { customerValue } = plan.scoring.terms;
  return html`<section class="long" id="segments">
<h2>Users who behave alike</h2>
<p>Users are assigned to segments by the rates at which they visit a few pages, without looking at who cancels. Shares of those who
cancel are of training rows, within the horizon.${living === undefined ? undefined : ` Value at risk: cancellations that are expected, times ${money(customerValue)} a customer is worth.`}</p>
${segmentsTable(segments, names, living, customerValue)}
${movesTable(living, names)}
<details><summary>Rates</summary>
${ratesTable(segments, names)}
</details>
</section>`;
}

function segmentsTable(
  segments: readonly Segment[],
  names: readonly string[],
  living: LivingSegments | undefined,
  customerValue: number,
): Html {
  const ofLiving = (cell: (segment: LivingSegment) => string) => (_: Segment, index: number) => {
    const segment = living?.segments[index];
    return segment === undefined ? '–' : cell(segment);
  };
  const expected = (times: (expected: number) => string) =>
    ofLiving((segment) => (segment.expected === null ? 'withheld' : times(segment.expected)));
  const today: readonly TableColumn<Segment>[] = [
    { heading: 'Living users', isNumber: true, cell: ofLiving(({ users }) => whole(users)) },
    { heading: 'Expected to cancel', isNumber: true, cell: expected((sum) => decimal(sum, 1)) },
    { heading: 'Value at risk', isNumber: true, cell: expected((sum) => money(sum * customerValue)) },
  ];
  return table({
    caption: 'Segments of users, the largest first',
    columns: [
      { heading: 'Segment', cell: (_, index) => names[index] ?? '' },
      { heading: 'Users', isNumber: true, cell: ({ size }) => percent(size) },
      { heading: 'Cancel while free', isNumber: true, cell: ({ freeHazard }) => percent(freeHazard) },
      { heading: 'Cancel while paying', isNumber: true, cell: ({ paidHazard }) => percent(paidHazard) },
      ...(living === undefined ? [] : today),
    ],
    rows: segments,
  });
}

/** Who moved since the run before; undefined where there is none to compare with. */
function movesTable(living: LivingSegments | undefined, names: readonly string[]): Html | undefined {
  const moved = living?.moved ?? undefined;
  if (moved === undefined) return undefined;
  const all = moved.moves.reduce((sum, { users }) => sum + users, 0);
  const moves = moved.moves.filter(({ before, now }) => before !== now).sort((a, b) => b.users - a.users);
  const changed = moves.reduce((sum, { users }) => sum + users, 0);
  const since = `Since ${day(moved.since)}, ${whole(changed)} of ${counted(all, 'user')} have moved to another segment`;
  if (changed === 0) return html`<p>${since}; both days by the same model.</p>`;
  return html`${table({
    caption: `${since}; both days by the same model`,
    columns: [
      { heading: 'From', cell: ({ before }) => names[before] ?? '' },
      { heading: 'To', cell: ({ now }) => names[now] ?? '' },
      { heading: 'Users', isNumber: true, cell: ({ users }) => whole(users) },
    ],
    rows: moves.slice(0, MOST_MOVES),
  })}`;
}

function ratesTable(segments: readonly Segment[], names: readonly string[]): Html {
  const usual = usualRates(segments);
  return table({
    caption: 'Events of a segment per 100 occasions, and how many times the usual that is',
    columns: [
      { heading: 'Segment', cell: (_, index) => names[index] ?? '' },
      ...CHANNELS.map(({ label }, channel) => ({
        heading: label,
        isNumber: true,
        cell: ({ rates }: Segment) => {
          const rate = rates[channel]?.rate;
          return rate === undefined
            ? '–'
            : html`${decimal(100 * rate, 2)}<small>× ${decimal(rate / (usual[channel] ?? rate), 1)}</small>`;
        },
      })),
    ],
    rows: segments,
  });
}
