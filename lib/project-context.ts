/** The context of cdk.json, for callers that the CDK command line does not give it to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../setup/environment.mjs';

const cdkFileSchema = z.looseObject({ context: z.record(z.string(), z.unknown()) });

/** Feature flags of CDK, and keys of this project where cdk.json has any. */
export function projectContext(): Record<string, unknown> {
  return cdkFileSchema.parse(JSON.parse(readFileSync(join(projectRoot, 'cdk.json'), 'utf8'))).context;
}
