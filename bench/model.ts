/**
 * `npm run bench:model`: the candidates beside the boosted trees of commit 5046780, on three simulated logs that nothing was
 * built with; and beside a regression that knows each user's true class. Ends with an error when a bar is missed.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../bin/commands/arguments.ts';
import { projectRoot } from '../setup/environment.mjs';
import { type Figures, figuresTable, modelFigures } from './model-figures.ts';

const SEEDS = [9001, 9002, 9003];
const FORMER = 'former_boosted_trees';
/** Least mean difference to the former trees. */
const BARS = { auc: 0.004, average_precision_ratio: 0.12, lift_at_10: 0.05 } as const;
const BARRED = ['auc', 'average_precision_ratio', 'lift_at_10'] as const;

const options = new Command('bench:model')
  .description('Compare the candidates with the former boosted trees on three simulated logs.')
  .option('--users <number>', 'users of each log', wholeNumber(500, 100_000), 20_000)
  .parse()
  .opts<{ readonly users: number }>();

const logs: Readonly<Record<string, Figures>>[] = [];
for (const seed of SEEDS) {
  const { rows, figures } = await modelFigures({
    users: options.users,
    seed,
    imbalance: false,
    folder: join(projectRoot, '.churn', 'bench', 'models'),
  });
  console.log(`\nSeed ${seed}, ${rows} test users\n${figuresTable(figures)}`);
  logs.push(figures);
}

console.log('\nMean difference to the boosted trees of commit 5046780');
for (const model of ['segments', 'segments_and_trees', 'oracle']) {
  const differences = BARRED.map((figure) => {
    const each = logs.map((log) => (log[model]?.[figure] ?? 0) - (log[FORMER]?.[figure] ?? 0));
    return { figure, mean: each.reduce((sum, value) => sum + value, 0) / each.length };
  });
  const missed = differences.filter(({ figure, mean }) => mean < BARS[figure]);
  const text = differences.map(
    ({ figure, mean }) => `${figure} ${mean >= 0 ? '+' : ''}${mean.toFixed(4)} (bar +${BARS[figure]})`,
  );
  console.log(`${model}: ${text.join(', ')}`);
  if (model === 'segments' && missed.length > 0) process.exitCode = 1;
}
