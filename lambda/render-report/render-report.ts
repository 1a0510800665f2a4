/** RenderReport: writes one self-contained HTML page about a run that succeeded. */
import { REPORT, RUN_DETAIL } from '../../domain/lake-objects.ts';
import { type RenderReportOutput, renderReportInputSchema } from '../../domain/run.ts';
import type { World } from '../run/world.ts';
import { reportLink } from './link.ts';
import { reportPage } from './page.ts';

/** @throws InvalidResult when the run has no detail */
export async function renderReport(
  input: unknown,
  { lake, deployment }: Pick<World, 'lake' | 'deployment'>,
): Promise<RenderReportOutput> {
  const { runId } = renderReportInputSchema.parse(input);
  const detail = await lake.read(RUN_DETAIL.of(runId));
  await lake.write(REPORT.of(runId), await reportPage(detail));
  const reportUri = lake.uri(REPORT.of(runId));
  return { reportUri, link: reportLink(reportUri, deployment.region) };
}
