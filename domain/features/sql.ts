/** The few pieces of Spark SQL text that are made from data, each encoded so that a value stays a value. */

const COLUMN_NAME = /^[a-z][a-z0-9_]*$/;

/** A column name, checked. */
export function columnName(name: string): string {
  if (!COLUMN_NAME.test(name)) {
    throw new Error(`"${name}" is not a column name: use lower-case letters, digits and underscores`);
  }
  return name;
}

/** A string literal as Spark reads it (backslash is its escape character). */
export function sqlString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A number literal; anything not finite is refused. */
export function sqlNumber(value: number): string {
  if (!Number.isFinite(value))
    throw new Error(`${value} has no SQL literal: only finite numbers can be written`);
  return String(value);
}

/** Puts a list on as many lines as it needs, so that no line grows too long to read. */
export function wrapped(entries: readonly string[], indentation: string, width = 88): string {
  const lines: string[] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + entry.length + 2 <= width)
      lines[lines.length - 1] = `${last}, ${entry}`;
    else lines.push(entry);
  }
  return lines.join(`,\n${indentation}`);
}
