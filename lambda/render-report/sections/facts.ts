/** What is needed to check the run or to repeat it. */
import { PRICES_AS_OF } from '../../../domain/cost.ts';
import { newestDayText } from '../../../domain/log-state.ts';
import { modelAgeDays, modelAgeText } from '../../../domain/model-age.ts';
import type { RunDetail, RunRecord } from '../../../domain/records.ts';
import { counted, day, duration, moment, usd, whole } from '../format.ts';
import { type Html, html } from '../html.ts';

export function factsSection(detail: RunDetail): Html {
  return html`<section class="long" id="facts">
<h2>The run</h2>
<dl class="facts">
${facts(detail).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
</dl>
</section>`;
}

const SPOT_NOTES = {
  market: ', spot instances at their actual price',
  'market and table': ', spot instances at their actual price where it is known',
  table: ', spot instances too: their actual price is unknown, but not higher',
} as const satisfies Record<NonNullable<RunRecord['spot_price_source']>, string>;

function spotNote({ spot_price_source: source }: RunRecord): string {
  return source === null ? '' : SPOT_NOTES[source];
}

function facts(detail: RunDetail): readonly (readonly [string, string | Html])[] {
  const { record, plan, features, training, scoring, ingest } = detail;
  const { training: settings } = plan;
  const newest = newestDayText(detail);
  const took = Date.parse(record.ended_at) - Date.parse(record.started_at);
  return [
    ['Run', html`<span class="id">${record.run_id}</span>`],
    ['Started', `${moment(record.started_at)}, took ${duration(took)}`],
    [
      'Cost',
      record.cost_usd === null
        ? 'unknown: the price table lacks an instance type'
        : `${usd(record.cost_usd)}, by list prices of ${day(PRICES_AS_OF)}${spotNote(record)}`,
    ],
    ['Estimated cost', usd(plan.cluster.estimatedUsd)],
    [
      'Batch',
      html`<span class="id">${plan.batch.batchId}</span>, ${counted(plan.batch.files.length, 'file')}`,
    ],
    ['Users scored as known on', day(scoring.cutoff)],
    ['Horizon', counted(settings.horizonDays, 'day')],
    ...(newest === undefined ? [] : [['Newest day of the log', newest] as const]),
    [
      'Log',
      `${day(features.firstDay)} to ${day(features.observationEnd)}, ${counted(features.observedDays, 'day')}`,
    ],
    [
      'Cutoffs',
      `every ${counted(settings.cutoffStepDays, 'day')}, ${counted(features.cutoffs.length, 'cutoff')}`,
    ],
    ['Features', whole(features.featureCount)],
    ['Folds and seed', `${settings.folds} folds by user, seed ${settings.seed}`],
    [
      'Model',
      html`<span class="id">${detail.choice?.scorer?.modelUri ?? training?.modelUri ?? 'none'}</span>`,
    ],
    ...trainingFacts(detail),
    [
      'Promotion',
      `${record.promoted === true ? 'promoted' : 'not promoted'}: ${record.promotion_reason ?? 'no reason was recorded'}`,
    ],
    [
      'Snapshots',
      html`<span class="id">events ${ingest.snapshots.events ?? 'none'}, user_days ${features.snapshots.user_days},
features ${training?.featuresSnapshot ?? features.snapshots.features}, scores ${scoring.snapshots.scores}</span>`,
    ],
  ];
}

/** Whether the run has trained, why, and how old its model is otherwise. */
function trainingFacts(detail: RunDetail): readonly (readonly [string, string])[] {
  const { training, trainingDecision, choice, plan, features } = detail;
  const why = trainingDecision === undefined ? '' : `: ${trainingDecision.reason}`;
  if (training !== null) {
    return [
      ['Training', `trained${why}`],
      [
        'Reliability',
        training.reliable ? 'enough cancellations to trust the metrics' : training.reliabilityReason,
      ],
    ];
  }
  const testCutoff = choice?.scorer?.testCutoff;
  const { horizonDays } = plan.training;
  return [
    ['Training', `nothing was trained${why}`],
    ...(testCutoff === undefined
      ? []
      : [
          [
            'Age of the model',
            `${modelAgeText(modelAgeDays(testCutoff, horizonDays, features.observationEnd))}, as known on ${day(testCutoff)}`,
          ] as const,
        ]),
  ];
}
