/** The detail of a run that succeeded: all that the report shows. */
import { KEYS } from '../../domain/lake.ts';
import { type RunDetail, runDetailSchema } from '../../domain/records.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from './context.ts';
import { lakeUri, readJson } from './json-objects.ts';

/** @throws InvalidResult when the run left none, or a damaged one */
export async function readDetail(runId: string, ports: Ports, context: FunctionContext): Promise<RunDetail> {
  const uri = lakeUri(context.lakeRoot, KEYS.runDetail(runId));
  return readJson(ports.objects, uri, runDetailSchema, 'detail of the run');
}
