/** RenderReport: writes one self-contained HTML page about a run that succeeded, and the page that lists all reports. */
import { modelCardIn, REPORT, REPORT_INDEX, RUN_DETAIL } from '../../domain/lake-objects.ts';
import type { ModelCard } from '../../domain/model-card.ts';
import type { RunDetail } from '../../domain/records.ts';
import { type RenderReportOutput, renderReportInputSchema } from '../../domain/run.ts';
import type { Lake } from '../run/lake.ts';
import type { World } from '../run/world.ts';
import { readFiles } from './files-of-batch.ts';
import { readHistory } from './history.ts';
import { indexPage } from './index-page.ts';
import { reportLink } from './link.ts';
import { reportPage } from './page.ts';
import { bundledPageScript, type PageScript } from './page-script.ts';

/** @throws InvalidResult when the run has no detail */
export async function renderReport(
  input: unknown,
  { lake, deployment }: Pick<World, 'lake' | 'deployment'>,
  script: PageScript = bundledPageScript,
): Promise<RenderReportOutput> {
  const { runId } = renderReportInputSchema.parse(input);
  const [detail, { runs: history, olderReports }] = await Promise.all([
    lake.read(RUN_DETAIL.of(runId)),
    readHistory(lake),
  ]);
  const [card, files] = await Promise.all([cardOf(detail, lake), readFiles(lake, detail.plan)]);
  await lake.write(REPORT.of(runId), await reportPage(detail, { history, script, card, files }));
  const listed = history.map((run) => (run.record.run_id === runId ? { ...run, hasReport: true } : run));
  await lake.write(REPORT_INDEX, indexPage(listed, olderReports));
  const reportUri = lake.uri(REPORT.of(runId));
  return { reportUri, link: reportLink(reportUri, deployment.region) };
}

/** The card of the model that scored or, where nobody is in charge, of the one that was trained. */
async function cardOf({ choice, training }: RunDetail, lake: Lake): Promise<ModelCard | undefined> {
  const modelUri = choice?.scorer?.modelUri ?? training?.modelUri;
  return modelUri === undefined ? undefined : lake.glimpse(modelCardIn(modelUri));
}
