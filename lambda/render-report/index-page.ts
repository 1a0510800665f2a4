/** The page that lists all reports, the newest first. It needs no script. */
import { modelLabel } from '../../domain/metrics.ts';
import { decimal, duration, shortMoment, usd, whole } from './format.ts';
import { type PastRun, reportFile } from './history.ts';
import { Html, html } from './html.ts';
import { table } from './html-table.ts';
import { STYLE } from './style.ts';

/**
 * @param runs the oldest first
 * @param olderReports ids of the reports of runs before these
 */
export function indexPage(runs: readonly PastRun[], olderReports: readonly string[] = []): string {
  const newest = runs.toReversed();
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="description" content="All reports of the churn pipeline, the newest first">
<title>Churn reports</title>
<style>${new Html(STYLE)}</style>
</head>
<body class="index">
<header class="page"><p class="kicker">Churn pipeline</p><h1>All reports</h1>
<p class="lead">The newest ${whole(newest.length)} runs. The links work where the reports are in the same folder: locally, or after
<span class="id">churn report --all --stage …</span>. From a page of S3 that was opened by a signed link they do not.</p></header>
<main><section id="reports"><h2>Runs</h2>
${
  newest.length === 0
    ? html`<p>There is no run yet.</p>`
    : table({
        caption: 'Runs and their reports, the newest first',
        columns: [
          {
            heading: 'Run',
            cell: ({ record, hasReport }: PastRun) =>
              hasReport
                ? html`<a class="id" href="${encodeURIComponent(reportFile(record.run_id))}">${record.run_id}</a>`
                : html`<span class="id">${record.run_id}</span>`,
          },
          { heading: 'Finished (UTC)', cell: ({ record }) => shortMoment(record.ended_at) },
          { heading: 'Outcome', cell: ({ record }) => record.status.toLowerCase() },
          {
            heading: 'Model',
            cell: ({ record }) => (record.model === null ? '–' : modelLabel(record.model)),
          },
          {
            heading: 'AUC',
            isNumber: true,
            cell: ({ metrics }) => (metrics.auc === undefined ? '–' : decimal(metrics.auc.value, 3)),
          },
          {
            heading: 'Rows read',
            isNumber: true,
            cell: ({ record }) => (record.rows_read === null ? '–' : whole(record.rows_read)),
          },
          {
            heading: 'Took',
            isNumber: true,
            cell: ({ record }) => duration(Date.parse(record.ended_at) - Date.parse(record.started_at)),
          },
          {
            heading: 'Cost',
            isNumber: true,
            cell: ({ record }) => (record.cost_usd === null ? '–' : usd(record.cost_usd)),
          },
        ],
        rows: newest,
      })
}
</section>${older(olderReports)}</main>
</body>
</html>
`.markup;
}

/** Reports of runs that are no longer shown with their figures. */
function older(ids: readonly string[]): Html | undefined {
  if (ids.length === 0) return undefined;
  return html`<section id="older"><h2>Older reports</h2>
<ul>${ids.map((id) => html`<li><a class="id" href="${encodeURIComponent(reportFile(id))}">${id}</a></li>`)}</ul></section>`;
}
