/** SQL inside the scripts. */
import { Python } from '../composition/python.ts';

/** A Python string of many lines that holds SQL as it is read: one clause a line. */
export function sqlText(sql: string): Python {
  const encoded = sql.replaceAll('\\', '\\\\').replaceAll('"""', '\\"\\"\\"');
  return new Python(`"""\n${encoded}\n"""`);
}
