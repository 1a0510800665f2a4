/** The head of the page: the answer in plain words, the most important numbers, and warnings. */
import { defectiveRows } from '../../../domain/defective-rows.ts';
import { metricHeading, metricsShownIn, metricText, modelLabel } from '../../../domain/metrics.ts';
import { hasTrained, type RunDetail } from '../../../domain/records.ts';
import { scoringEvaluation, scoringModel } from '../../../domain/scoring-evaluation.ts';
import { addDays } from '../../../domain/time.ts';
import { between, counted, day, moment, percent, whole } from '../format.ts';
import type { PastRun } from '../history.ts';
import { type Html, html } from '../html.ts';
import { breathList } from './breath.ts';
import { warnings } from './warnings.ts';

export function summarySection(detail: RunDetail, history: readonly PastRun[]): Html {
  const { record, scoring, plan, features } = detail;
  const { horizonDays } = plan.training;
  const lastDay = addDays(scoring.cutoff, horizonDays - 1);
  const expectedShare = scoring.users === 0 ? 0 : scoring.expectedCancellations / scoring.users;
  const test = features.cutoffs.find(({ role }) => role === 'test');
  return html`<header class="page" id="in-one-breath">
<p class="kicker">Churn report · run ${record.run_id}</p>
<h1>${
    features.cancellations === 0
      ? 'Nobody cancels in this log: there is nothing to learn from'
      : html`${whole(scoring.expectedCancellations)} of ${whole(scoring.users)} living users expected to cancel between
${between(scoring.cutoff, lastDay)}`
  }</h1>
<p class="lead">That is ${percent(expectedShare)} of them within ${counted(horizonDays, 'day')}. ${
    test === undefined
      ? undefined
      : html`Of the test users (as known
on ${day(test.cutoff)}), ${percent(test.rows === 0 ? 0 : (test.cancellations ?? 0) / test.rows)} cancelled within the same number of days.`
  } ${scorerText(detail)}
Run finished on ${moment(record.ended_at)}.</p>
${breathList(detail, history)}
${tiles(detail)}
<ul class="notes">${notes(detail)}</ul>
</header>`;
}

/** Which model the scores and the figures are of. */
function scorerText(detail: RunDetail): string {
  const { choice } = detail;
  const label = modelLabel(scoringModel(detail));
  if (choice === undefined) return `Chosen model: ${label}.`;
  if (choice.scorer === null) return 'No model is in charge: every user has the base rate.';
  return choice.challengerScores
    ? `Model in charge: ${label}, of this run.`
    : `Model in charge: ${label}, of run ${choice.scorer.runId}.`;
}

function tiles(detail: RunDetail): Html {
  const { scoring, ingest, features } = detail;
  const { read } = ingest.counts;
  return html`<dl class="tiles">
${tile('Living users', whole(scoring.users), `of ${counted(features.users, 'user')} ever seen`)}
${tile('Expected to cancel', whole(scoring.expectedCancellations), `${whole(features.cancellations)} have cancelled so far`)}
${metricTiles(detail)}
${tile('Rows read', whole(read), `${percent(read === 0 ? 0 : defectiveRows(ingest) / read)} defective`)}
</dl>`;
}

function metricTiles(detail: RunDetail): readonly Html[] {
  const metrics = scoringEvaluation(detail)?.metrics ?? {};
  return metricsShownIn('report head').flatMap((metric) => {
    const estimate = metrics[metric.name];
    if (estimate === undefined) return [];
    return [
      tile(metricHeading(metric), metricText(metric, estimate.value), metric.reading ?? metric.meaning),
    ];
  });
}

function tile(name: string, value: string, remark: string): Html {
  return html`<div class="tile"><dt>${name}</dt><dd>${value}<small>${remark}</small></dd></div>`;
}

function notes(detail: RunDetail): readonly Html[] {
  const { promoted, promotion_reason: reason } = detail.record;
  const whose = detail.choice === undefined ? " The scores below are this run's own." : '';
  const promotion = !hasTrained(detail)
    ? html`<li><strong>Nothing was trained:</strong> ${reason ?? ''}.</li>`
    : promoted
      ? html`<li class="good"><strong>The model was promoted:</strong> ${reason ?? ''}.</li>`
      : html`<li><strong>The model was not promoted:</strong> ${reason ?? ''}.${whose}</li>`;
  return [promotion, ...warnings(detail).map((warning) => html`<li>${warning}</li>`)];
}
