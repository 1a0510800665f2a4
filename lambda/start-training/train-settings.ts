/** What decides whether a run trains: who asked for it, and what a training depends on besides the rows. Pure. */
import { createHash } from 'node:crypto';
import type { RunRequest, RunSettings } from '../../domain/run.ts';
import type { TrainSettings } from '../../domain/training-decision.ts';
import type { Deployment } from '../run/deployment.ts';

/** Whether a setting has a part in how a model is trained, or in the gates: a model that was refused may pass others. */
const IS_PART_OF_TRAINING: Readonly<Record<keyof RunSettings, boolean>> = {
  horizonDays: true,
  minHistoryDays: true,
  cutoffStepDays: true,
  cutoffAnchor: true,
  maxCutoffs: true,
  minDailyShare: true,
  maxQuarantineShare: true,
  strict: false,
  earliestEventDay: false,
  maxClockSkewHours: false,
  minCancellations: true,
  folds: true,
  seed: true,
  train: false,
  retrospective: false,
  controlGroupShare: false,
  controlGroupSalt: false,
  terms: false,
  campaignDays: false,
  retentionDays: false,
  promotion: false,
  promotionMargin: true,
  leakageAuc: true,
  leakageInputAuc: true,
  acceptedFeatures: true,
  excludedFeatures: true,
  budgetUsd: false,
  listSince: false,
};

const DECISIVE = new Set(
  Object.entries(IS_PART_OF_TRAINING).flatMap(([name, isPart]) => (isPart ? [name] : [])),
);

type OfDeployment = Pick<Deployment, 'settings' | 'trainingRelease'>;

/** The request's field decides, then `force`, then the setting. */
export function trainSettings(
  request: RunRequest,
  { settings, trainingRelease }: OfDeployment,
): TrainSettings {
  const { horizonDays = settings.horizonDays, seed = settings.seed } = request;
  const parts = Object.entries({ ...settings, horizonDays, seed }).filter(([name]) => DECISIVE.has(name));
  const content = JSON.stringify([trainingRelease, ...parts]);
  const fingerprint = createHash('sha256').update(content).digest('hex').slice(0, 16);
  if (request.train !== undefined) return { mode: request.train, askedBy: 'request', fingerprint };
  if (request.force === true) return { mode: 'always', askedBy: 'force', fingerprint };
  return { mode: settings.train, askedBy: 'setting', fingerprint };
}
