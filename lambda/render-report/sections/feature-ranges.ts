/**
 * Who cancelled across the range of each leading feature: small tables with a line drawn into each row. Twenty charts of the
 * usual kind would take a third of the size that a page may have.
 */
import { REASON_WORDS, valueText } from '../../../domain/features/reason-words.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { Drivers, FeatureBand, FeatureDriver } from '../../../domain/results.ts';
import { shareInterval } from '../../../domain/share-interval.ts';
import { counted, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { featureLabel } from '../labels.ts';

/** So many features are shown at once, the others when they are asked for. */
const SHOWN_AT_ONCE = 6;
/** Of the drawing in a row, in pixels. */
const WIDTH = 76;
const HEIGHT = 14;

/** A feature as people read it: a channel of the segments is events per exposure, not the column that counts its events. */
export function driverLabel(name: string): string {
  return REASON_WORDS[name]?.label ?? featureLabel(name);
}

/** @param directionOf how a feature goes with the score, in words */
export function featureRanges(
  { features }: Drivers,
  { training: { testRows, testCancellations } }: TrainedDetail,
  directionOf: (driver: FeatureDriver) => string,
): Html {
  const overall = testCancellations / Math.max(1, testRows);
  const tables = features.map((driver) => rangeTable(driver, overall, directionOf(driver)));
  const others = tables.slice(SHOWN_AT_ONCE);
  return html`<h3>Across their range</h3>
<p>All ${whole(testRows)} test users by their value of each leading feature: how many have it, and the share that cancelled, with its
95% interval. The line is the interval, its mark the share, <span class="predicted">the other mark</span> what was predicted, and the
dashed line the share of all users (${percent(overall)}).</p>
<div class="pair">${tables.slice(0, SHOWN_AT_ONCE)}</div>
${
  others.length === 0
    ? undefined
    : html`<details><summary>${counted(others.length, 'more feature')}</summary><div class="pair">${others}</div></details>`
}`;
}

function rangeTable({ feature, bands }: FeatureDriver, overall: number, direction: string): Html {
  const rates = bands.map((band) => ({ ...band, share: band.cancelled / band.users, ...interval(band) }));
  const most = Math.max(
    overall,
    ...rates.map(({ high, predicted, users }) => Math.max(high, predicted / users)),
  );
  const x = (share: number): string => ((WIDTH * share) / most).toFixed(1);
  const line = (share: number, className: string): Html =>
    html`<path class="${className}" d="M${x(share)} 1V${String(HEIGHT - 1)}"/>`;
  return html`<div class="range">${table({
    caption: html`<strong>${driverLabel(feature)}</strong> (${direction})`,
    columns: [
      { heading: 'Value', cell: (band) => rangeText(feature, band) },
      { heading: 'Users', isNumber: true, cell: ({ users }) => whole(users) },
      {
        heading: 'Cancelled',
        isNumber: true,
        cell: ({ share, low, high }) =>
          html`${percent(share)} <span class="fine">${percent(low).replace('%', '')}–${percent(high)}</span>`,
      },
      {
        heading: 'Predicted',
        isNumber: true,
        cell: ({ predicted, users }) => percent(predicted / users),
      },
      {
        heading: html`<span class="unseen">Drawn</span>`,
        cell: ({ share, low, high, predicted, users }) =>
          html`<svg width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">${line(overall, 'overall')}
<path class="interval" d="M${x(low)} ${HEIGHT / 2}H${x(high)}"/>${line(predicted / users, 'predicted')}
<circle cx="${x(share)}" cy="${HEIGHT / 2}" r="3.5"/></svg>`,
      },
    ],
    rows: rates,
  })}</div>`;
}

function interval({ users, cancelled }: FeatureBand): { readonly low: number; readonly high: number } {
  return shareInterval(cancelled / users, users);
}

function rangeText(feature: string, { lowest, highest }: FeatureBand): string {
  const [from, to] = [valueText(feature, lowest), valueText(feature, highest)];
  return from === to ? from : `${from} to ${to}`;
}
