/** The report's page. */
import type { RunDetail } from '../../lib/domain/run.ts';
import { headline } from '../store-metrics/summary.ts';

/** The whole page. */
export async function reportPage(detail: RunDetail): Promise<string> {
  return `<!doctype html><html lang="en"><title>Churn report</title><h1>${headline(detail)}</h1></html>\n`;
}
