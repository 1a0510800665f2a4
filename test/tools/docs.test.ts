/** The derived pages say what the code says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { TABLES } from '../../domain/lake.ts';
import { readConfiguration } from '../../lib/configuration.ts';
import { projectRoot } from '../../setup/environment.mjs';
import { DOCUMENTS, REFERENCE_FOLDER } from '../../tools/docs/documents.ts';
import { page, table } from '../../tools/docs/markdown.ts';

const folder = join(projectRoot, REFERENCE_FOLDER);
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

test.each(Object.entries(DOCUMENTS))('%s is up to date (if not: npm run docs)', (name, text) => {
  expect(read(name)).toBe(text());
});

test('the folder holds derived pages only', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(DOCUMENTS).sort());
});

test('the dictionary has every column of every table', () => {
  const dictionary = read('data-dictionary.md');
  for (const { name, columns } of TABLES) {
    const [, section = ''] = dictionary.split(`\n## ${name}\n`);
    for (const column of columns) expect(section, name).toContain(`| \`${column.name}\` | ${column.type} |`);
  }
});

test('every feature is in one row', () => {
  const features = read('features.md');
  for (const { name, description } of FEATURES) {
    const rows = features.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));
    expect(rows, name).toEqual([expect.stringContaining(description)]);
  }
});

test('every key of the configuration has a meaning and its default', () => {
  const rows = new Map(
    read('configuration.md')
      .split('\n')
      .map((line) => line.split(' | '))
      .map(([key = '', meaning = '', standard = '']) => [key.replace('| ', ''), [meaning, standard]]),
  );
  const { prefix, scheduleEnabled, logRetentionDays, ...configuration } = readConfiguration({});
  for (const key of [...Object.keys(configuration), 'scheduleEnabled', 'logRetentionDays']) {
    expect(rows.get(`\`churn:${key}\``)?.[0]?.length, key).toBeGreaterThan(10);
  }
  expect(rows.get('`churn:stage`')?.[1]).toBe('`dev` |');
  expect(rows.get('`churn:idleMinutes`')?.[1]).toBe('`30` |');
  expect(rows.get('`churn:coreInstanceTypes`')?.[1]).toBe('`m7g.xlarge,m6g.xlarge` |');
  expect(rows.get('`churn:alarmEmail`')?.[1]).toBe('nobody |');
  expect(rows.get('`churn:logRetentionDays`')?.[1]).toBe('365 in prod, 30 in dev |');
  expect(rows.get('`budgetUsd`')?.[1]).toBe('`50` |');
});

test('a cell keeps to its column', () => {
  expect(table(['a'], [['x | y\nz']])).toBe('| a |\n| --- |\n| x \\| y z |');
  expect(page('T', 'here', ['a', 'b'])).toBe(
    '# T\n\nDerived from here by `npm run docs`: change it there.\n\na\n\nb\n',
  );
});
