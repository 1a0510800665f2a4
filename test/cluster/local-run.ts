/** A local run on the same log, whose plan has what the plan of the rehearsed run is given. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLAN } from '../../domain/lake-objects.ts';
import type { RunRequest } from '../../domain/run.ts';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { openLake } from '../../local/run/lake-folder.ts';
import { runLocally } from '../../local/run/local-run.ts';
import type { RunSummary } from '../../local/run/run-summary.ts';
import type { StepRunner } from '../../local/spark/step-runner.ts';
import { withDefinition } from '../../local/template/synthesize.ts';
import { lastLines } from '../support/command-line.ts';
import { BOOSTING_WORKERS } from './overrides.ts';
import { overridePlan } from './plan-overrides.ts';

/**
 * A run that succeeds.
 * @param folder of the lake @param log folder of the event files @param boostingWorkers as many as the rehearsed run has
 * @param newRunner makes what runs the steps; default: one Spark application for all of them
 */
export async function runOnThisMachine(
  folder: string,
  log: string,
  request: RunRequest,
  boostingWorkers = BOOSTING_WORKERS,
  newRunner?: () => StepRunner,
): Promise<RunSummary> {
  const lake = await openLake(folder);
  let runId = '';
  const summary = await withDefinition((definition) =>
    runLocally({
      lake,
      definition,
      eventsLocation: fileUri(log),
      request,
      signal: new AbortController().signal,
      ...(newRunner === undefined ? {} : { newRunner }),
      observer: {
        onStart: (id) => {
          runId = id;
        },
        // TrainModels, two states later, is the first to read what is overridden.
        onState: ({ kind, state }) => {
          if (kind !== 'entered' || state !== 'IngestEvents') return;
          const file = join(lake.path, PLAN.of(runId).key);
          writeFileSync(file, overridePlan(readFileSync(file, 'utf8'), boostingWorkers));
        },
        onProgress: () => undefined,
        onNote: () => undefined,
      },
    }),
  );
  if (summary.status !== 'SUCCEEDED')
    throw new Error(`${JSON.stringify(summary)}\n${await lastLines(summary)}`);
  return summary;
}
