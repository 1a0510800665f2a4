/** RenderReport: writes one self-contained HTML page about a run that succeeded, and the page that lists all reports. */
import { REPORT, REPORT_INDEX, RUN_DETAIL } from '../../domain/lake-objects.ts';
import { type RenderReportOutput, renderReportInputSchema } from '../../domain/run.ts';
import type { World } from '../run/world.ts';
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
  const [detail, history] = await Promise.all([lake.read(RUN_DETAIL.of(runId)), readHistory(lake)]);
  await lake.write(REPORT.of(runId), await reportPage(detail, { history, script }));
  const listed = history.map((run) => (run.record.run_id === runId ? { ...run, hasReport: true } : run));
  await lake.write(REPORT_INDEX, indexPage(listed));
  const reportUri = lake.uri(REPORT.of(runId));
  return { reportUri, link: reportLink(reportUri, deployment.region) };
}
