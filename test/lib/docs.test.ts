/** What the docs say about the deployment, compared with the code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { glob } from 'tinyglobby';
import { expect, test } from 'vitest';
import { sizeOnEmr } from '../../domain/sizing.ts';
import { ConfigurationError, readConfiguration } from '../../lib/configuration.ts';
import { projectRoot } from '../../setup/environment.mjs';

const GIGABYTE = 1e9;
const BYTES: Readonly<Record<string, number>> = {
  '1 GB': GIGABYTE,
  '12 GB': 12 * GIGABYTE,
  '1 TB': 1_000 * GIGABYTE,
};

/** Every page for people: those at the top, and docs. */
const PAGES = ['*.md', 'docs/**/*.md'];

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

test('the table of sizes is what sizing says', () => {
  const rows = [...read('docs/deploy.md').matchAll(/^\| (\d+ [GT]B) \|(.*)\|$/gm)].map(
    ([, log = '', cells = '']) => [log, ...cells.split('|').map((cell) => Number.parseFloat(cell))],
  );
  expect(rows).toEqual(
    Object.entries(BYTES).map(([log, bytes]) => {
      const { cluster } = sizeOnEmr({ newBytes: bytes, historyBytes: bytes }, 'us-east-1');
      return [log, cluster.coreUnits, cluster.taskUnits, cluster.estimatedMinutes, cluster.estimatedUsd];
    }),
  );
});

test('every key that the docs name can be set', async () => {
  const pages = await glob(PAGES, { cwd: projectRoot });
  const tags = ['churn:run-id', 'churn:execution-arn'];
  const named = new Set(pages.flatMap((page) => read(page).match(/churn:[a-zA-Z-]+/g) ?? []));
  const unknown = [...named].filter((key) => !tags.includes(key) && isUnknown(key));
  expect(named.size).toBeGreaterThan(10);
  expect(unknown).toEqual([]);
});

test('every page that the docs link to exists', async () => {
  const pages = await glob(PAGES, { cwd: projectRoot });
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => join(page, '..', target)),
  );
  for (const link of links) expect(() => readFileSync(join(projectRoot, link)), link).not.toThrow(/ENOENT/);
});

/** Sets the key to a value that no key accepts: the error shows whether the key exists. */
function isUnknown(key: string): boolean {
  try {
    readConfiguration({ [key]: { no: 'value' } });
    return false;
  } catch (error) {
    return error instanceof ConfigurationError && error.message.includes(`${key}: no such key`);
  }
}

test('no notebook is committed with the output of its cells', async () => {
  const notebooks = await glob(['notebooks/*.ipynb'], { cwd: projectRoot });
  expect(notebooks.length).toBeGreaterThan(0);
  for (const notebook of notebooks) {
    const cells = read(notebook).match(/"(outputs|execution_count)": (?!null|\[\])/g) ?? [];
    expect(cells, notebook).toEqual([]);
  }
});
