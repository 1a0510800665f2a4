/** The unit tests that reach what is mutated. */
import { defineConfig } from 'vitest/config';
import { projectRoot } from '../../setup/environment.mjs';
import { testGroups } from '../test-groups.ts';
import { filesThatReach, importsOf } from '../walls/imports.ts';
import { readSources } from '../walls/source-files.ts';
import { MUTATED, TESTED_IN } from './mutated.ts';

const sources = readSources(projectRoot);
const concerned = filesThatReach(MUTATED, importsOf(sources));
const include = testGroups(sources).unit.filter(
  (file) => concerned.has(file) && TESTED_IN.some((folder) => file.startsWith(folder)),
);

export default defineConfig({
  test: {
    include,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
