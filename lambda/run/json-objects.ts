/** JSON objects of the lake, checked against their schema as they are read. */
import { z } from 'zod';
import type { ObjectStore } from '../ports/ports.ts';
import { PipelineError } from './errors.ts';

/** Address of a key of lake.ts below the root. */
export function lakeUri(lakeRoot: string, key: string): string {
  return `${lakeRoot}/${key}`;
}

/** What was read, and the entity tag to hand to a conditional write. */
export interface Stored<Value> {
  readonly value: Value;
  readonly etag: string;
}

/**
 * Reads an object that may be absent.
 * @throws InvalidResult when it is there but is not what it should be
 */
export async function findJson<Value>(
  objects: ObjectStore,
  uri: string,
  schema: z.ZodType<Value>,
): Promise<Stored<Value> | undefined> {
  const object = await objects.read(uri);
  if (object === undefined) return undefined;
  const parsed = schema.safeParse(parse(object.text, uri));
  if (!parsed.success) {
    throw new PipelineError(
      'InvalidResult',
      `${uri} is not what it should be:\n${z.prettifyError(parsed.error)}`,
    );
  }
  return { value: parsed.data, etag: object.etag };
}

/**
 * Reads an object that must be there.
 * @param what says in a person's words what should lie there
 * @throws InvalidResult when it is absent or malformed
 */
export async function readJson<Value>(
  objects: ObjectStore,
  uri: string,
  schema: z.ZodType<Value>,
  what: string,
): Promise<Value> {
  const stored = await findJson(objects, uri, schema);
  if (stored === undefined) {
    throw new PipelineError(
      'InvalidResult',
      `There is no ${what} at ${uri}. Resume the run to make it again.`,
    );
  }
  return stored.value;
}

/** Reads an object if it is there and what it should be: for explaining, which nothing may stop. */
export async function glimpseJson<Value>(
  objects: ObjectStore,
  uri: string,
  schema: z.ZodType<Value>,
): Promise<Value | undefined> {
  try {
    return (await findJson(objects, uri, schema))?.value;
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
}

/** Text of a JSON object as all of the lake's are written. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Text of a JSON-lines object: one row a line, as external tables need it. */
export function jsonLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function parse(text: string, uri: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PipelineError(
      'InvalidResult',
      `${uri} is not JSON: it begins with ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
}
