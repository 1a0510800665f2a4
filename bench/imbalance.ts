/**
 * `npm run bench:imbalance`: what class weights and undersampling do to ranking and to probabilities, on a simulated log.
 */
import { join } from 'node:path';
import { projectRoot } from '../setup/environment.mjs';
import { figuresTable, modelFigures } from './model-figures.ts';

const { rows, figures } = await modelFigures({
  users: 20_000,
  seed: 9001,
  imbalance: true,
  folder: join(projectRoot, '.churn', 'bench', 'imbalance'),
});
console.log(`${rows} test users\n${figuresTable(figures)}`);
