/** What stands in place of the figures of the models in a run that has not trained. */
import { modelAgeDays, modelAgeText } from '../../../domain/model-age.ts';
import type { RunDetail } from '../../../domain/records.ts';
import { day } from '../format.ts';
import { reportFile } from '../history.ts';
import { type Html, html } from '../html.ts';

export function untrainedSection({ trainingDecision, choice, plan, features }: RunDetail): Html {
  const scorer = choice?.scorer ?? null;
  return html`<section id="untrained">
<h2>Nothing was trained</h2>
<p>The reason: ${trainingDecision?.reason ?? 'none was recorded'}.</p>
${
  scorer === null
    ? html`<p>No model is in charge, so there are no figures of one.</p>`
    : html`<p>The users were scored by the model of run <a class="id" href="${encodeURIComponent(
        reportFile(scorer.runId),
      )}">${scorer.runId}</a>, whose report has its figures. It was tested on users as known on ${day(scorer.testCutoff)};
${modelAgeText(modelAgeDays(scorer.testCutoff, plan.training.horizonDays, features.observationEnd))}. Drift shows whether the
figures still apply.</p>`
}
</section>`;
}
