/** What two trainings have left, compared: their documents, and the own files of their models. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { glob } from 'tinyglobby';
import { type Difference, differences } from '../../domain/verification.ts';
import { quotedText } from '../adapters/lake-views.ts';
import type { TrainedFiles } from './train-again.ts';

/** Documents that were compared, and what of them differs. */
export interface ComparedTrainings {
  readonly documents: readonly string[];
  readonly differences: readonly Difference[];
}

export async function comparedTrainings(
  stored: TrainedFiles,
  again: TrainedFiles,
): Promise<ComparedTrainings> {
  const own = { stored: await ownFiles(stored.folder), again: await ownFiles(again.folder) };
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['model.json', stored.description, again.description],
    ['train-models.json', stored.result, again.result],
    ...[...new Set([...own.stored.keys(), ...own.again.keys()])].map(
      (name) => [name, own.stored.get(name), own.again.get(name)] as const,
    ),
  ];
  return {
    documents: pairs.map(([document]) => document),
    differences: pairs.flatMap(([document, before, after]) => differences(document, before, after)),
  };
}

/**
 * What a library has written of a model, by the folder below the model: rows of Parquet files, lines of JSON. Its metadata
 * are left out, which name the moment and draw an id, and else repeat the settings.
 */
async function ownFiles(folder: string): Promise<ReadonlyMap<string, unknown>> {
  const model = join(folder, 'model');
  const files = await glob('{data,model}/part-*', { cwd: model });
  const found = new Map<string, unknown>();
  if (files.some((file) => file.startsWith('data/'))) {
    found.set('model/data', await parquetRows(join(model, 'data')));
  }
  const lines = await Promise.all(
    files
      .filter((file) => file.startsWith('model/'))
      .toSorted()
      .map((file) => readFile(join(model, file), 'utf8')),
  );
  if (lines.length > 0) found.set('model/model', lines.flatMap(jsonLines));
  return found;
}

function jsonLines(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Rows in the order of their columns, which begin with what identifies a row. */
async function parquetRows(folder: string): Promise<readonly unknown[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    const files = quotedText(`${folder}/part-*.parquet`);
    const answer = await connection.runAndReadAll(`SELECT * FROM read_parquet(${files}) ORDER BY ALL`);
    return answer.getRowObjectsJson();
  } finally {
    connection.closeSync();
  }
}
