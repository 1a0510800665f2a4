/** The results of a run's steps on a small log, for tests of the states after them. */

import { FEATURES as CATALOGUE } from '../../domain/features/catalogue.ts';
import { featureDefinition } from '../../domain/features/definition.ts';
import { CHOICE, MODEL, modelFolder, PLAN, TRAINING_DECISION } from '../../domain/lake-objects.ts';
import type { ModelName } from '../../domain/models.ts';
import { ENVIRONMENT } from '../../domain/operations.ts';
import { expectedCounts, RECONCILE_COLUMNS } from '../../domain/reconcile.ts';
import type {
  ChampionTest,
  FeaturesResult,
  IngestResult,
  ModelEvaluation,
  ScoringResult,
  TrainingResult,
} from '../../domain/results.ts';
import {
  type PlanRunOutput,
  type RunPlan,
  runPlanSchema,
  STEP_NAMES,
  type StepName,
} from '../../domain/run.ts';
import type { TrainingDecision } from '../../domain/training-decision.ts';
import { chooseModelOfRun } from '../../lambda/choose-model/choose-model.ts';
import { chooseModel } from '../../lambda/choose-model/decide.ts';
import { decideTrainingOfRun } from '../../lambda/decide-training/decide-training.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import { type Deployment, readDeployment } from '../../lambda/run/deployment.ts';
import { type World, worldOf } from '../../lambda/run/world.ts';
import { planRun } from '../../lambda/start-training/plan-run.ts';
import { DRIVERS } from './drivers-fixture.ts';
import { EXPLORATION } from './exploration-fixture.ts';
import { HOMOGENEITY } from './homogeneity-fixture.ts';
import { arnOf, type MemoryPorts } from './memory-ports.ts';
import { RETROSPECTIVE } from './retrospective-fixture.ts';
import { slicesOf } from './slices-fixture.ts';

export const LAKE = 's3://lake';
export const EVENTS = 's3://raw/events';

const VARIABLES = {
  [ENVIRONMENT.lakeRoot]: LAKE,
  [ENVIRONMENT.database]: 'churn_test_0a1b2c3d',
  [ENVIRONMENT.eventsRoot]: EVENTS,
  [ENVIRONMENT.platform]: 'emr',
  [ENVIRONMENT.fleets]: JSON.stringify({
    primary: ['m7g.xlarge'],
    core: ['m7g.xlarge', 'm6g.xlarge'],
    task: ['m6g.xlarge', 'r6g.xlarge'],
  }),
  [ENVIRONMENT.subnetIds]: 'subnet-1,subnet-2',
  [ENVIRONMENT.release]: '0123456789ab',
  [ENVIRONMENT.trainingRelease]: '0123456789cd',
};
export const DEPLOYMENT = readDeployment(VARIABLES);

/** The deployment after another release was deployed. */
export const NEXT_DEPLOYMENT = readDeployment({
  ...VARIABLES,
  [ENVIRONMENT.release]: 'ba9876543210',
  [ENVIRONMENT.trainingRelease]: 'dc9876543210',
});

/** What a call of a Lambda with those ports works with. */
export function worldOn(ports: Ports, deployment: Deployment = DEPLOYMENT): World {
  return worldOf(ports, deployment);
}

/** URI of a key of the lake. */
export function at(key: string): string {
  return `${LAKE}/${key}`;
}

/** Starts an execution and calls PlanRun for it. */
export function plan(
  ports: MemoryPorts,
  runId: string,
  request: unknown = {},
  deployment?: Deployment,
): Promise<PlanRunOutput> {
  const executionArn = ports.executions.set(runId, 'RUNNING');
  const startedAt = ports.clock.now().toISOString();
  return planRun({ runId, executionArn, startedAt, request }, worldOn(ports, deployment));
}

/** The plan that PlanRun wrote. */
export function planOf(ports: MemoryPorts, runId: string): RunPlan {
  return runPlanSchema.parse(JSON.parse(ports.objects.text(at(PLAN.of(runId).key)) ?? 'null'));
}

/** Writes what the ingest step writes: the ledger and its result. */
export function ingest(ports: MemoryPorts, runId: string, result: Partial<IngestResult> = {}): void {
  const { batch, outputs } = planOf(ports, runId);
  const gone = (batch.takenOut ?? []).map(({ uri }) => ({ uri, etag: '', bytes: 0, taken_out: true }));
  const rows = [...batch.files.map((file) => ({ ...file, days: '{}' })), ...gone].map((file) => ({
    ...file,
    batch_id: batch.batchId,
    rows_read: 0,
    rows_accepted: 0,
    rows_quarantined: 0,
    rows_duplicate: 0,
  }));
  ports.objects.put(outputs.ledger, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  putResult(ports, runId, 'ingest-events', { ...INGEST, ...result });
}

/** Writes what one step writes. */
export function runStep(ports: MemoryPorts, runId: string, step: StepName): void {
  if (step === 'ingest-events') ingest(ports, runId);
  else putResult(ports, runId, step, RESULTS[step]);
  if (step === 'train-models') putModel(ports, runId);
}

/** Writes the description of a model that can score. */
export function putModel(ports: MemoryPorts, runId: string, changed: object = {}): void {
  const inputs = CATALOGUE.slice(0, 1).map((feature) => ({
    name: feature.name,
    definition: featureDefinition(feature),
  }));
  const model = {
    ...{ kind: 'boosted_trees', runId, horizonDays: 14, testCutoff: '2018-11-19', inputs },
    ...changed,
  };
  ports.objects.put(MODEL.of(runId).uriIn(planOf(ports, runId).lakeRoot), JSON.stringify(model));
}

/** Writes what DecideTraining writes. */
export function putDecision(ports: MemoryPorts, runId: string, decision: TrainingDecision): void {
  const { trainingDecision } = planOf(ports, runId).outputs;
  ports.objects.put(trainingDecision ?? at(TRAINING_DECISION.of(runId).key), JSON.stringify(decision));
}

/** Writes what the states of a run that does not train write, from ingest to the reconcile query. */
export async function runWithoutTraining(ports: MemoryPorts, runId: string): Promise<void> {
  const input = { runId, executionArn: arnOf(runId), planUri: at(PLAN.of(runId).key) };
  for (const step of ['ingest-events', 'build-features'] as const) runStep(ports, runId, step);
  const { decision, reason } = await decideTrainingOfRun(input, worldOn(ports));
  if (decision !== 'skip') throw new Error(`run ${runId} trains: ${reason}`);
  await chooseModelOfRun(input, worldOn(ports));
  runStep(ports, runId, 'score-users');
  answerReconcileQuery(ports, runId);
}

/** Writes what all steps and the reconcile query write; the query's id is the run's id. */
export function runSteps(ports: MemoryPorts, runId: string, training: Partial<TrainingResult> = {}): void {
  for (const step of STEP_NAMES) runStep(ports, runId, step);
  putDecision(ports, runId, { decision: 'train', reason: 'the test asks for it' });
  const { lakeRoot } = planOf(ports, runId);
  const result = { ...TRAINING, ...training, modelUri: `${lakeRoot}/${modelFolder(runId)}` };
  putResult(ports, runId, 'train-models', result);
  putChoice(ports, runId, result);
  answerReconcileQuery(ports, runId);
}

/** Writes what ChooseModel writes. */
function putChoice(ports: MemoryPorts, runId: string, training: TrainingResult): void {
  const { observationEnd } = FEATURES;
  const plan = planOf(ports, runId);
  const choice = chooseModel({ plan, training, ingest: INGEST, observationEnd });
  ports.objects.put(plan.outputs.choice ?? at(CHOICE.of(runId).key), JSON.stringify(choice));
}

/** The champion on the test rows of TRAINING: a little worse than the challenger. */
export function championTest(changed: Partial<ChampionTest> = {}): ChampionTest {
  return {
    runId: 'run-0',
    modelUri: at(modelFolder('run-0')),
    testCutoff: '2018-11-12',
    notUsable: null,
    comparable: true,
    evaluation: evaluation('logistic_regression', 'candidate', 0.75, 0.14, 0.06),
    difference: { value: 0.15, low: -0.2, high: 0.5 },
    testScores: { starts: [-3, -2, -1], rows: [250, 250, 250, 250] },
    ...changed,
  };
}

/** Makes the reconcile query return the expected counts, except those that are overridden. */
export function answerReconcileQuery(
  ports: MemoryPorts,
  runId: string,
  overridden: Readonly<Record<string, string>> = {},
): void {
  const rows = expectedCounts(planOf(ports, runId), INGEST, FEATURES, SCORING).map(({ table, expected }) => ({
    [RECONCILE_COLUMNS.table]: table,
    [RECONCILE_COLUMNS.rows]: overridden[table] ?? String(expected),
  }));
  ports.sql.answers.set(runId, rows);
}

export function putResult(ports: MemoryPorts, runId: string, step: StepName, result: unknown): void {
  ports.objects.put(planOf(ports, runId).outputs.results[step], JSON.stringify(result));
}

/** Input of StoreMetrics for a run. */
export function storeMetricsInput(runId: string) {
  return {
    runId,
    executionArn: arnOf(runId),
    planUri: at(PLAN.of(runId).key),
    reconcileQueryExecutionId: runId,
  };
}

const estimate = (value: number, margin?: number) => ({
  value,
  low: margin === undefined ? null : value - margin,
  high: margin === undefined ? null : value + margin,
});

const decision = (threshold: number, truePositives: number, falsePositives: number) => {
  const falseNegatives = 40 - truePositives;
  const trueNegatives = 960 - falsePositives;
  const precision = truePositives / (truePositives + falsePositives);
  const recall = truePositives / 40;
  return {
    threshold,
    truePositives,
    falsePositives,
    trueNegatives,
    falseNegatives,
    precision,
    recall,
    f1: (2 * precision * recall) / (precision + recall),
    balancedAccuracy: (recall + trueNegatives / 960) / 2,
  };
};

function evaluation(
  model: ModelName,
  kind: ModelEvaluation['kind'],
  auc: number,
  averagePrecision: number,
  margin?: number,
): ModelEvaluation {
  return {
    model,
    kind,
    metrics: {
      auc: estimate(auc, margin),
      average_precision: estimate(averagePrecision, margin),
      average_precision_ratio: estimate(averagePrecision / 0.04),
      lift_at_5: estimate(averagePrecision * 28),
      lift_at_10: estimate(averagePrecision * 24),
      lift_at_20: estimate(averagePrecision * 18),
      balanced_accuracy: estimate(0.6 + averagePrecision / 2, margin),
      brier: estimate(0.038 - averagePrecision / 100),
      brier_skill: estimate(averagePrecision / 2),
      log_loss: estimate(0.16 - averagePrecision / 10),
      calibration_error: estimate(0.009),
      calibration_slope: estimate(0.97),
    },
    decisions: {
      best_f1: decision(0.18, 14, 52),
      best_balanced_accuracy: decision(0.05, 29, 260),
    },
    reliability: Array.from({ length: 10 }, (_, bin) => ({
      predicted: 0.004 + 0.0015 * bin ** 2,
      observed: Math.max(0, 0.003 + 0.0015 * bin ** 2 + (bin % 2 === 0 ? 0.006 : -0.004)),
      users: 100,
    })),
    fitSeconds: 12.4,
    curve: Array.from({ length: 10 }, (_, bin) => ({
      predicted: 0.004 + 0.0015 * (9 - bin) ** 2,
      users: 100,
      cancelled: [14, 8, 5, 4, 3, 2, 2, 1, 1, 0][bin] ?? 0,
    })),
  };
}

function segment(size: number, rates: readonly number[], hazard: number): TrainingResult['segments'][number] {
  const usual = [0.05, 0.0172, 0.05, 0.005, 0.01, 0.013];
  return {
    size,
    rates: rates.map((rate, index) => ({ rate, usual: usual[index] ?? rate })),
    freeHazard: hazard,
    paidHazard: hazard * 1.5,
  };
}

export const INGEST: IngestResult = {
  counts: { read: 1_000, accepted: 970, quarantined: 20, duplicates: 10 },
  refused: { malformed_json: 5, unknown_page: 15 },
  examples: [{ reason: 'unknown_page', file: `${EVENTS}/2018-10-01.json`, line: '{"page": "<script>"}' }],
  findings: [
    { reason: 'unknown_page', column: 'page', found: 'unknown_word', word: 'Podcasts', rows: 15, files: 1 },
    { reason: 'malformed_json', column: '', found: 'not_json', word: null, rows: 5, files: 1 },
  ],
  adapted: { rows: 40, files: 1, by: [{ adaptation: 'whole_fraction', rows: 40, files: 1 }] },
  held: { events: 970, quarantined: 20 },
  changes: { before: 4_030, takenAway: 0, returned: 0, after: 5_000 },
  lake: { events: 5_000 },
  filesRead: 1,
  bytesRead: 500_000,
  firstDay: '2018-10-01',
  lastDay: '2018-12-03',
  daysRecomputed: 64,
  snapshots: { events: '8744736658442914487', user_days: '3051729675574597004' },
};

export const FEATURES: FeaturesResult = {
  firstDay: '2018-10-01',
  observationEnd: '2018-12-03',
  observedDays: 63,
  cutoffs: [
    { cutoff: '2018-10-22', role: 'train', rows: 900, cancellations: 45, version: '1' },
    { cutoff: '2018-11-05', role: 'train', rows: 950, cancellations: 42, version: '1' },
    { cutoff: '2018-11-19', role: 'test', rows: 1_000, cancellations: 40, version: '1' },
    { cutoff: '2018-12-03', role: 'score', rows: 960, cancellations: null },
  ],
  users: 1_160,
  cancellations: 200,
  cutoffAnchor: '2018-11-19',
  featureCount: 62,
  tableRows: 2_850,
  snapshots: {
    user_days: '3051729675574597004',
    features: '6216728340239837218',
    scoring_features: '2274728340239837555',
  },
};

export const TRAINING: TrainingResult = {
  trainRows: 1_850,
  trainCancellations: 87,
  testRows: 1_000,
  testCancellations: 40,
  testCutoff: '2018-11-19',
  evaluations: [
    evaluation('logistic_regression', 'candidate', 0.744, 0.132, 0.06),
    evaluation('random_forest', 'candidate', 0.757, 0.139, 0.06),
    evaluation('boosted_trees', 'candidate', 0.763, 0.146, 0.06),
    evaluation('base_rate', 'baseline', 0.5, 0.04),
    evaluation('days_since_last_seen', 'baseline', 0.643, 0.06),
  ],
  chosen: 'boosted_trees',
  reliable: true,
  reliabilityReason: '87 cancellations in the training rows, at least 50 are needed',
  importance: [
    { feature: 'thumbs_down_per_song_last_28_days', share: 0.21 },
    { feature: 'adverts_per_free_song_last_7_days', share: 0.17 },
    { feature: 'active_days_last_7_days', share: 0.12 },
    { feature: 'downgrade_visits_last_28_days', share: 0.09 },
    { feature: 'tenure_days', share: 0.05 },
  ],
  modelUri: 's3://lake/models/run-1',
  featuresSnapshot: '6216728340239837218',
  champion: null,
  singleInputs: [{ feature: 'thumbs_down_per_song_last_28_days', auc: 0.66, low: 0.58 }],
  notFitted: [{ model: 'segments_and_trees', reason: 'too few' }],
  segments: [
    segment(0.7, [0.05, 0.01, 0.05, 0.005, 0.01, 0.01], 0.03),
    segment(0.3, [0.05, 0.034, 0.05, 0.005, 0.01, 0.02], 0.09),
  ],
  past: [
    {
      cutoff: '2018-11-04',
      trainCutoffs: 2,
      trainRows: 1_700,
      trainCancellations: 45,
      testRows: 940,
      testCancellations: 36,
      metrics: { auc: estimate(0.74, 0.07), average_precision_ratio: estimate(3.1, 0.9) },
      predicted: 39.6,
      recency: { auc: estimate(0.58, 0.08), average_precision_ratio: estimate(1.3, 0.4) },
    },
    {
      cutoff: '2018-11-09',
      trainCutoffs: 3,
      trainRows: 2_600,
      trainCancellations: 3,
      testRows: 950,
      testCancellations: 0,
      metrics: {},
      predicted: null,
      recency: {},
    },
  ],
  exploration: EXPLORATION,
  slices: slicesOf('challenger', 0.76),
  drivers: DRIVERS,
  homogeneity: HOMOGENEITY,
  retrospective: RETROSPECTIVE,
};

export const SCORING: ScoringResult = {
  users: 960,
  cutoff: '2018-12-03',
  expectedCancellations: 38.4,
  top: [
    {
      userId: '100042',
      probability: 0.61,
      level: 'paid',
      inControlGroup: false,
      reasons: ['4 visits to Downgrade in 7 days, typically 0', '2 adverts per free song, typically 0.1'],
    },
    {
      userId: '<b>&"\'',
      probability: 0.54,
      level: 'free',
      inControlGroup: false,
      reasons: ['habit', 'tenure'],
    },
    { userId: '300011', probability: 0.47, level: 'free', inControlGroup: true, reasons: ['adverts'] },
  ],
  probabilities: [
    { bin: 60, users: 861, expected: 25.8, control: 95 },
    { bin: 940, users: 0, expected: 0, control: 1 },
    { bin: 1080, users: 1, expected: 0.54, control: 0 },
    { bin: 1220, users: 2, expected: 1.22, control: 0 },
  ],
  drift: {
    features: [
      { feature: 'observed_days', psi: 9.6 },
      { feature: 'adverts_per_free_song_last_7_days', psi: 0.271 },
      { feature: 'thumbs_down_per_song_last_28_days', psi: 0.118 },
      { feature: 'active_days_last_7_days', psi: 0.042 },
    ],
    score: 0.063,
  },
  snapshots: { scores: '1183746620011837462' },
};

/** Results of the steps that leave nothing else. */
const RESULTS: Readonly<Record<Exclude<StepName, 'ingest-events'>, unknown>> = {
  'build-features': FEATURES,
  'train-models': TRAINING,
  'score-users': SCORING,
};
