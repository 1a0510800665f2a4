/** Which features the chosen model uses, of results that do not say what drives it. */
import { modelLabel } from '../../../domain/metrics.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { percent } from '../format.ts';
import { type Html, html, printable } from '../html.ts';
import { featureLabel } from '../labels.ts';

const MOST_SHOWN = 15;

export async function sharesSection(
  { training, features }: TrainedDetail,
  book: ChartBook,
): Promise<Html | undefined> {
  const shown = training.importance.slice(0, MOST_SHOWN);
  if (shown.length === 0) return undefined;
  const values = shown.map(({ feature, share }) => ({
    feature: printable(featureLabel(feature)),
    share,
    text: percent(share),
  }));
  const y = {
    field: 'feature',
    type: 'nominal',
    sort: null,
    axis: { title: null, ticks: false, domain: false },
  } as const;
  const x = { field: 'share', type: 'quantitative', axis: null } as const;
  const drawn = await book.draw(
    'drivers-chart',
    {
      width: 420,
      height: { step: 26 },
      data: { values },
      layer: [
        { mark: { type: 'bar', color: COLOURS.accent, height: 16 }, encoding: { x, y } },
        {
          mark: { type: 'text', align: 'left', dx: 6, color: COLOURS.ink, fontSize: 12 },
          encoding: { x, y, text: { field: 'text' } },
        },
      ],
    },
    'Share of the gain or weight of the model that each feature contributes, largest first',
  );
  return html`<section id="drivers">
<h2>Which features the model uses</h2>
<p>Share of the gain (for logistic regression: of the absolute weight) that each of the ${features.featureCount}
features contributes to the model (${modelLabel(training.chosen)}). It shows what the model uses, not why people cancel.</p>
<figure>${drawn}<figcaption>The ${shown.length} most important features.</figcaption></figure>
</section>`;
}
