/** The size of a run, and whether the budget allows it. A pure decision. */
import type { EventFile } from '../../domain/run.ts';
import { bytesOfRows, jsonBytes, type RunSize, sizeLocally, sizeOnEmr } from '../../domain/sizing.ts';
import type { Deployment } from '../run/deployment.ts';
import { PipelineError } from '../run/errors.ts';

export interface Work {
  readonly newFiles: readonly EventFile[];
  /** Rows that the lake has accepted so far. */
  readonly historyRows: number;
}

/**
 * Size of the run: by the bytes that ingest reads, and the rows that features, training and scoring start from.
 * @throws OverBudget saying what the estimate consists of, and what to do
 */
export function sizeOf(
  work: Work,
  { platform, region, settings }: Pick<Deployment, 'platform' | 'region' | 'settings'>,
): RunSize {
  const newBytes = jsonBytes(work.newFiles);
  const volume = { newBytes, historyBytes: newBytes + bytesOfRows(work.historyRows) };
  if (platform === 'local') return sizeLocally(volume);
  const size = sizeOnEmr(volume, region);
  if (size.cluster.estimatedUsd <= settings.budgetUsd) return size;
  throw overBudget(work, newBytes, size.cluster.estimatedUsd, region, settings.budgetUsd);
}

function overBudget(
  { newFiles, historyRows }: Work,
  newBytes: number,
  estimatedUsd: number,
  region: string,
  budgetUsd: number,
): PipelineError {
  const history = sizeOnEmr({ newBytes: 0, historyBytes: bytesOfRows(historyRows) }, region);
  const historyUsd = history.cluster.estimatedUsd;
  const raise = `raise budgetUsd (context key churn:run) to at least ${Math.ceil(estimatedUsd)} and deploy`;
  const remedy =
    historyUsd > budgetUsd
      ? `The history alone is over the budget, so delivering less does not help: ${raise}. The table runs has ` +
        'estimated_cost_usd beside cost_usd of the runs before: if they cost less than estimated, correct the rates in ' +
        'domain/sizing.ts instead.'
      : `The new files make the difference: ${raise}, or ingest them in several runs, each with a folder of them in ` +
        'the request\'s field "events".';
  return new PipelineError(
    'OverBudget',
    `The run is estimated at ${estimatedUsd} USD (${(newBytes / 1e9).toFixed(1)} GB of new events in ` +
      `${newFiles.length} files; without them, ${historyUsd} USD for a history of ${(historyRows / 1e6).toFixed(1)} ` +
      `million rows), over the budget of ${budgetUsd} USD.\n${remedy}`,
  );
}
