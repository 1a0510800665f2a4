/** A local run on the same log, with the number of boosting workers that the rehearsed run has. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLAN } from '../../domain/lake-objects.ts';
import type { RunRequest } from '../../domain/run.ts';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { openLake } from '../../local/run/lake-folder.ts';
import { runLocally } from '../../local/run/local-run.ts';
import type { RunSummary } from '../../local/run/run-summary.ts';
import { withDefinition } from '../../local/template/synthesize.ts';
import { BOOSTING_WORKERS } from './overrides.ts';

/** @param folder of the lake @param log folder of the event files @param boostingWorkers as many as the rehearsed run has */
export async function runOnThisMachine(
  folder: string,
  log: string,
  request: RunRequest,
  boostingWorkers = BOOSTING_WORKERS,
): Promise<RunSummary> {
  const lake = await openLake(folder);
  let runId = '';
  return withDefinition((definition) =>
    runLocally({
      lake,
      definition,
      eventsLocation: fileUri(log),
      request,
      signal: new AbortController().signal,
      observer: {
        onStart: (id) => {
          runId = id;
        },
        // TrainModels, two states later, is the first to read the number.
        onState: ({ kind, state }) => {
          if (kind !== 'entered' || state !== 'IngestEvents') return;
          const file = join(lake.path, PLAN.of(runId).key);
          const plan = JSON.parse(readFileSync(file, 'utf8'));
          plan.training.boostingWorkers = boostingWorkers;
          writeFileSync(file, JSON.stringify(plan));
        },
        onProgress: () => undefined,
        onNote: () => undefined,
      },
    }),
  );
}
