/** RenderReport: writes one self-contained HTML page about a run that succeeded. */
import { KEYS } from '../../domain/lake.ts';
import { type RenderReportOutput, renderReportInputSchema } from '../../domain/run.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { readDetail } from '../run/detail.ts';
import { lakeUri } from '../run/json-objects.ts';
import { reportLink } from './link.ts';
import { reportPage } from './page.ts';

/** @throws InvalidResult when the run left no detail */
export async function renderReport(
  input: unknown,
  ports: Ports,
  context: FunctionContext,
): Promise<RenderReportOutput> {
  const { runId } = renderReportInputSchema.parse(input);
  const detail = await readDetail(runId, ports, context);
  const reportUri = lakeUri(context.lakeRoot, KEYS.report(runId));
  await ports.objects.write(reportUri, await reportPage(detail), { contentType: 'text/html; charset=utf-8' });
  return { reportUri, link: reportLink(reportUri, context.region) };
}
