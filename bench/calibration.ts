/** `npm run bench:calibration`: how often the calibration of a perfect model is contradicted by chance. */
import { falseAlarms } from './calibration-simulation.ts';

const SIMULATIONS = 1000;
const SEED = 1;

for (const rows of [187, 2000, 18_000]) {
  const share = falseAlarms(rows, SIMULATIONS, SEED);
  console.log(
    `${rows} test rows: ${(100 * share).toFixed(1)} % of ${SIMULATIONS} perfect models are contradicted`,
  );
}
