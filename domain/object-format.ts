/** How the objects of the lake are written as text, and read from it. */
import { z } from 'zod';

/** The value that a text holds, or what is wrong with the text. */
export type Reading<Value> =
  | { readonly isValid: true; readonly value: Value }
  | { readonly isValid: false; readonly problem: string };

export interface ObjectFormat<Value> {
  readonly contentType: string;
  /** The text that is stored. The value is trusted to fit its type. */
  write(value: Value): string;
  /** Checks a stored text. */
  read(text: string): Reading<Value>;
}

const JSON_TYPE = 'application/json';

/** A JSON document, indented for people who open it. */
export function jsonDocument<Value>(schema: z.ZodType<Value>): ObjectFormat<Value> {
  return {
    contentType: JSON_TYPE,
    write: (value) => `${JSON.stringify(value, undefined, 2)}\n`,
    read: (text) => checked(text, schema),
  };
}

/** One row of an external table: a JSON document on one line. */
export function jsonRow<Row>(schema: z.ZodType<Row>): ObjectFormat<Row> {
  return {
    contentType: JSON_TYPE,
    write: (row) => `${JSON.stringify(row)}\n`,
    read: (text) => checked(text, schema),
  };
}

/** Rows of an external table: JSON lines. Blank lines are passed over. */
export function jsonRows<Row>(schema: z.ZodType<Row>): ObjectFormat<readonly Row[]> {
  return {
    contentType: JSON_TYPE,
    write: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    read: (text) => {
      const rows: Row[] = [];
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue;
        const row = checked(line, schema);
        if (!row.isValid) {
          return { isValid: false, problem: `has a line that is not one of its rows: ${line.slice(0, 120)}` };
        }
        rows.push(row.value);
      }
      return { isValid: true, value: rows };
    },
  };
}

/** Comma-separated values. */
export const CSV_FILE: ObjectFormat<string> = {
  contentType: 'text/csv; charset=utf-8',
  write: (text) => text,
  read: (text) => ({ isValid: true, value: text }),
};

/** A page for people. */
export const HTML_PAGE: ObjectFormat<string> = {
  contentType: 'text/html; charset=utf-8',
  write: (page) => page,
  read: (text) => ({ isValid: true, value: text }),
};

function checked<Value>(text: string, schema: z.ZodType<Value>): Reading<Value> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    const start = JSON.stringify(text.slice(0, 80));
    return { isValid: false, problem: `is not JSON: it begins with ${start}` };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { isValid: true, value: parsed.data };
  return { isValid: false, problem: `is not what it should be:\n${z.prettifyError(parsed.error)}` };
}
