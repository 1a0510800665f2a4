/** Adapter of the SqlEngine port for DuckDB, which takes Athena's place: the same SQL over the same Iceberg and JSON tables. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { TABLES, type Table } from '../../domain/lake.ts';
import type { SqlEngine } from '../../lambda/ports/sql.ts';
import { duckdbExtensions } from '../../setup/environment.mjs';
import { isCode } from './file-lock.ts';
import { lakeViews, quotedText } from './lake-views.ts';

const MEMORY_LIMIT = '1GB';
/** Functions of Athena that DuckDB has under another name. */
const ATHENA_FUNCTIONS = ['CREATE MACRO array_join(list, separator) AS array_to_string(list, separator)'];

const rowsSchema = z.array(z.record(z.string(), z.string().nullable()));
type Rows = z.infer<typeof rowsSchema>;

export interface DuckDbLake {
  /** Absolute path of the lake. */
  readonly folder: string;
  /** Folder of the query results, by the id of the query. */
  readonly queriesFolder: string;
  readonly tables?: readonly Table[];
}

export class DuckDbEngine implements SqlEngine {
  readonly #lake: DuckDbLake;

  constructor(lake: DuckDbLake) {
    this.#lake = lake;
  }

  /** Runs a query to completion. This process or a later one reads its result by the returned id. */
  async start(sql: string): Promise<string> {
    const rows = await this.#query(sql);
    const queryExecutionId = randomUUID();
    await mkdir(this.#lake.queriesFolder, { recursive: true });
    await writeFile(this.#answerFile(queryExecutionId), JSON.stringify(rows));
    return queryExecutionId;
  }

  /** The rows of a query, at once. */
  async ask(sql: string): Promise<Rows> {
    return this.#query(sql);
  }

  async results(queryExecutionId: string): Promise<Rows> {
    try {
      return rowsSchema.parse(JSON.parse(await readFile(this.#answerFile(queryExecutionId), 'utf8')));
    } catch (error) {
      if (isCode(error, 'ENOENT')) throw new Error(`this lake has no query ${queryExecutionId}`);
      throw error;
    }
  }

  #answerFile(queryExecutionId: string): string {
    return join(this.#lake.queriesFolder, `${queryExecutionId}.json`);
  }

  /** The views are created for every query, so that each query sees the tables as they are at that time. */
  async #query(sql: string): Promise<Rows> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_LIMIT,
      autoinstall_known_extensions: 'false',
    });
    const connection = await instance.connect();
    try {
      for (const extension of [duckdbExtensions.avro, duckdbExtensions.iceberg]) {
        await connection.run(`LOAD ${quotedText(extension)}`);
      }
      for (const statement of ATHENA_FUNCTIONS) await connection.run(statement);
      for (const statement of lakeViews(
        this.#lake.folder,
        this.#lake.tables ?? [...TABLES, ...FEATURE_TABLES],
      )) {
        await connection.run(statement);
      }
      const answer = await connection.runAndReadAll(sql);
      return answer
        .getRowObjectsJson()
        .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asText(value)])));
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }
}

/** Athena returns values as text; NULL stays null. */
function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
