/** How often chance alone makes a perfect model look wrong: outcomes drawn from the very probabilities. */
import { checkCalibration } from '../domain/calibration-check.ts';
import { CURVE_BINS } from '../domain/models.ts';
import type { CurveBin } from '../domain/results.ts';
import { Random } from '../generator/random.ts';

/** About 5 % cancel, as in the published logs, and users differ as much as there. */
const MEAN_LOG_ODDS = -3.4;
const SPREAD = 1;

/** The share of simulations in which the calibration of a perfect model is contradicted. */
export function falseAlarms(rows: number, simulations: number, seed: number): number {
  const random = new Random(seed, 'user', 0);
  let alarms = 0;
  for (let simulation = 0; simulation < simulations; simulation += 1)
    if (checkCalibration(drawnCurve(rows, random)).contradicted.length > 0) alarms += 1;
  return alarms / simulations;
}

function drawnCurve(rows: number, random: Random): readonly CurveBin[] {
  const probabilities = Array.from(
    { length: rows },
    () => 1 / (1 + Math.exp(-(MEAN_LOG_ODDS + SPREAD * random.normal()))),
  ).sort((a, b) => b - a);
  const groups = Array.from({ length: CURVE_BINS }, () => ({ predicted: 0, users: 0, cancelled: 0 }));
  for (const [index, probability] of probabilities.entries()) {
    const group = groups[Math.floor((index * CURVE_BINS) / rows)];
    if (group === undefined) continue;
    group.predicted += probability;
    group.users += 1;
    group.cancelled += random.fraction() < probability ? 1 : 0;
  }
  return groups
    .filter(({ users }) => users > 0)
    .map(({ predicted, users, cancelled }) => ({ predicted: predicted / users, users, cancelled }));
}
