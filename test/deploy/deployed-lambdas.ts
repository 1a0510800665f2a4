/** Calls the deployed Lambdas as the service would: their bundled code, with their own environment. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { ENVIRONMENT, type FunctionName } from '../../domain/operations.ts';
import { nodeExecutable, projectRoot } from '../../setup/environment.mjs';
import { type Emulator, REGION } from './emulator.ts';

const configurationSchema = z.looseObject({
  CodeSha256: z.string().min(1),
  Environment: z.looseObject({ Variables: z.record(z.string(), z.string()) }),
});
const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      Properties: z
        .looseObject({
          FunctionName: z.unknown().optional(),
          Code: z.looseObject({ S3Key: z.unknown() }).optional(),
        })
        .optional(),
    }),
  ),
});
const answerSchema = z.object({
  output: z.unknown().optional(),
  error: z.object({ name: z.string(), message: z.string() }).optional(),
});
export type Answer = z.infer<typeof answerSchema>;

/** The configuration of a function in the emulator. */
export async function deployedEnvironment(
  emulator: Emulator,
  functionName: string,
): Promise<Record<string, string>> {
  const answer = await fetch(`${emulator.endpoint}/2015-03-31/functions/${functionName}/configuration`, {
    headers: { Authorization: `AWS4-HMAC-SHA256 Credential=testing/20260101/${REGION}/lambda/aws4_request` },
  });
  if (!answer.ok) throw new Error(`the function ${functionName} was not deployed: ${answer.status}`);
  return configurationSchema.parse(await answer.json()).Environment.Variables;
}

/** Folder of a function's bundle, found by the key under which its code was uploaded. */
export function bundleOf(assemblyFolder: string, pipelineStack: string, functionName: string): string {
  const template = templateSchema.parse(
    JSON.parse(readFileSync(join(assemblyFolder, `${pipelineStack}.template.json`), 'utf8')),
  );
  const found = Object.values(template.Resources).find(
    ({ Properties }) => Properties?.FunctionName === functionName,
  );
  const hash = String(found?.Properties?.Code?.S3Key).replace(/\.zip$/, '');
  return join(assemblyFolder, `asset.${hash}`, 'index.mjs');
}

export interface DeployedLambda {
  readonly name: FunctionName;
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Calls a Lambda. Its log is discarded unless the process fails. */
export async function invoke(
  lambda: DeployedLambda,
  emulator: Pick<Emulator, 'environment'>,
  event: unknown,
): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'churn-invoke-'));
  const outputFile = join(folder, 'output.json');
  try {
    await execa(nodeExecutable, [join(projectRoot, 'test/deploy/invoke.mjs'), lambda.bundle, outputFile], {
      input: JSON.stringify(event),
      env: { ...lambda.environment, ...emulator.environment, [ENVIRONMENT.s3ForcePathStyle]: 'true' },
      timeout: 60_000,
    });
    return answerSchema.parse(JSON.parse(readFileSync(outputFile, 'utf8')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
