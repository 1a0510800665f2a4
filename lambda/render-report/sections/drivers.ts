/** What the chosen model uses: by how much it ranks worse without a feature, and in which direction. */
import { DEALS } from '../../../domain/drivers.ts';
import { FEATURE_GROUPS } from '../../../domain/features/measure.ts';
import { REASON_WORDS } from '../../../domain/features/reason-words.ts';
import { modelLabel } from '../../../domain/metrics.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { Drivers, FeatureDriver } from '../../../domain/results.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { counted, decimal } from '../format.ts';
import { type Html, html, printable } from '../html.ts';
import { driverLabel, featureRanges } from './feature-ranges.ts';
import { sharesSection } from './importance.ts';

/** A rank correlation that is nearer to 0 is of no one direction. */
const LEAST_CORRELATION = 0.05;
const RAISES = 'the higher, the likelier to cancel';
const LOWERS = 'the higher, the less likely to cancel';
const NEITHER = 'in no one direction';
const DIRECTIONS = [
  { direction: RAISES, colour: COLOURS.contrast },
  { direction: LOWERS, colour: COLOURS.accent },
  { direction: NEITHER, colour: COLOURS.neutral },
];

/** Of results of older versions, only what share of the model each feature brings. */
export async function driversSection(detail: TrainedDetail, book: ChartBook): Promise<Html | undefined> {
  const { training, choice } = detail;
  const { drivers } = training;
  if (drivers === null) return sharesSection(detail, book);
  const model = `${modelLabel(training.chosen)}${standing(choice)}`;
  return html`<section class="long" id="drivers">
<h2>What the model cannot do without</h2>
<p>Values of ${counted(drivers.users, 'test user')} are dealt to other users, ${DEALS.group} times for a group of features and ${DEALS.feature} times for a
feature; how far the AUC of ${decimal(drivers.auc, 3)} falls is what the model (${model}) owes to them. Lines: the least and the most of the deals.
Of features that say nearly the same, each alone can be done without: look at the groups first. It shows what the model uses, not why
people cancel.</p>
<div class="pair">
<figure><h3>Groups of features</h3>${await groupsChart(drivers, book)}</figure>
<figure><h3>The leading features</h3>${await featuresChart(drivers, book)}</figure>
</div>
${featureRanges(drivers, detail, directionText)}
</section>`;
}

/** Whose features these are, where it is not the model in charge. */
function standing(choice: TrainedDetail['choice']): string {
  if (choice === undefined || choice.challengerScores) return '';
  return choice.scorer === null
    ? ', which is not in charge'
    : `, which is not in charge; the report of run ${choice.scorer.runId} says what drives the champion`;
}

/** Of a feature that is yes or no, what yes means. */
function directionText(driver: FeatureDriver): string {
  const direction = directionOf(driver);
  return REASON_WORDS[driver.feature]?.amount === 'yes or no'
    ? direction.replace('the higher, the', 'if yes,')
    : direction;
}

function directionOf({ correlation }: FeatureDriver): string {
  if (correlation === null || Math.abs(correlation) < LEAST_CORRELATION) return NEITHER;
  return correlation > 0 ? RAISES : LOWERS;
}

function groupsChart({ groups }: Drivers, book: ChartBook): Promise<Html> {
  const labels = new Map<string, string>(FEATURE_GROUPS.map(({ name, label }) => [name, label]));
  const falls = groups.map(({ group, ...fall }) => ({
    ...fall,
    name: printable(labels.get(group) ?? group),
    direction: NEITHER,
  }));
  return fallsChart('driving-groups', falls, [], book);
}

function featuresChart({ features }: Drivers, book: ChartBook): Promise<Html> {
  const falls = features.map((driver) => ({
    name: printable(driverLabel(driver.feature)),
    fall: driver.fall,
    least: driver.least,
    most: driver.most,
    direction: directionOf(driver),
  }));
  const shown = DIRECTIONS.filter(({ direction }) => falls.some((one) => one.direction === direction));
  return fallsChart('driving-features', falls, shown, book);
}

interface Fall {
  readonly name: string;
  readonly fall: number;
  readonly least: number;
  readonly most: number;
  readonly direction: string;
}

function fallsChart(
  id: string,
  falls: readonly Fall[],
  directions: typeof DIRECTIONS,
  book: ChartBook,
): Promise<Html> {
  const values = [...falls];
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    axis: { title: null, ticks: false, domain: false },
  } as const;
  const color =
    directions.length === 0
      ? { value: COLOURS.accent }
      : ({
          field: 'direction',
          type: 'nominal',
          scale: {
            domain: directions.map(({ direction }) => direction),
            range: directions.map(({ colour }) => colour),
          },
          legend: { title: null, orient: 'bottom', columns: 1 },
        } as const);
  const number = (field: keyof Fall, title: string) =>
    ({ field, title, type: 'quantitative', format: '.3f' }) as const;
  const tooltip = [
    { field: 'name', title: 'feature' },
    number('fall', 'AUC falls by'),
    number('least', 'at least'),
    number('most', 'at most'),
    ...(directions.length === 0 ? [] : [{ field: 'direction', title: 'direction' } as const]),
  ] as const;
  return book.draw(
    id,
    {
      width: 260,
      height: { step: 22 },
      data: { values },
      layer: [
        {
          mark: { type: 'bar', height: 12 },
          encoding: {
            y,
            x: {
              field: 'fall',
              type: 'quantitative',
              axis: { title: 'AUC falls by', format: '.3~f', tickCount: 4 },
            },
            color,
            tooltip: [...tooltip],
          },
        },
        {
          mark: { type: 'rule', color: COLOURS.ink, strokeWidth: 1.5 },
          encoding: {
            y,
            x: { field: 'least', type: 'quantitative' },
            x2: { field: 'most' },
            tooltip: [...tooltip],
          },
        },
      ],
    },
    `By how much the AUC falls without them: ${falls
      .map(({ name, fall, direction }) =>
        directions.length === 0
          ? `${name} ${decimal(fall, 3)}`
          : `${name} ${decimal(fall, 3)} (${direction})`,
      )
      .join(', ')}`,
  );
}
