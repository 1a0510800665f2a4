/**
 * A tagged template for Python source. Values enter as encoded literals, so a hostile value stays a value;
 * nested fragments are inserted with the indentation of the place where they are inserted.
 */

/** A piece of Python source. Made only by the `python` template and the functions below. */
export class Python {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

/** What can be written as a Python literal. */
export type PythonValue =
  | string
  | number
  | boolean
  | null
  | Date
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue };

/** A collection longer than this on one line is written one element a line. */
const INLINE_CHARACTERS = 72;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Python source with values and fragments filled in.
 * Leading blank lines and the indentation common to all lines are removed; backslashes stay as typed.
 */
export function python(
  strings: TemplateStringsArray,
  ...values: readonly (PythonValue | Python | readonly Python[])[]
): Python {
  const parts = dedent(strings.raw.map((part) => part.replaceAll('\\`', '`').replaceAll('\\${', '${')));
  let source = parts[0] ?? '';
  values.forEach((value, index) => {
    const indentation = /[^\S\n]*$/.exec(lastLine(source).replace(/\S.*$/, ''))?.[0] ?? '';
    source += indented(render(value), indentation) + (parts[index + 1] ?? '');
  });
  return new Python(source);
}

/** A checked identifier, to be used as a name rather than as a value. */
export function identifier(name: string): Python {
  if (!IDENTIFIER.test(name))
    throw new Error(`"${name}" is not a Python identifier: use letters, digits and underscores`);
  return new Python(name);
}

/** Fragments one after the other, with `blankLines` empty lines between them. */
export function pythonLines(fragments: readonly Python[], blankLines = 0): Python {
  return new Python(fragments.map((fragment) => fragment.source).join('\n'.repeat(blankLines + 1)));
}

/** Encodes a value as a Python literal in the layout that ruff's formatter leaves alone. */
export function literal(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return stringLiteral(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return numberLiteral(value);
  if (value instanceof Date) return dateLiteral(value);
  if (isList(value)) return collection('[', value.map(literal), ']');
  return collection(
    '{',
    Object.entries(value).map(([key, entry]) => `${stringLiteral(key)}: ${literal(entry)}`),
    '}',
  );
}

function isList(
  value: readonly PythonValue[] | { readonly [key: string]: PythonValue },
): value is readonly PythonValue[] {
  return Array.isArray(value);
}

function render(value: PythonValue | Python | readonly Python[]): string {
  if (value instanceof Python) return value.source;
  if (isFragmentList(value)) return pythonLines(value).source;
  return literal(value);
}

function isFragmentList(value: PythonValue | readonly Python[]): value is readonly Python[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => entry instanceof Python);
}

/** JSON's escapes are Python's too; the quote is the one that needs fewer escapes, as ruff has it. */
function stringLiteral(value: string): string {
  const escaped = JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  if (!value.includes('"') || value.includes("'")) return escaped;
  return `'${escaped.slice(1, -1).replaceAll('\\"', '"')}'`;
}

function numberLiteral(value: number): string {
  if (!Number.isFinite(value))
    throw new Error(`${value} has no Python literal: only finite numbers can be written`);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new Error(`${value} is an integer that JavaScript does not hold exactly: pass it as a string`);
  }
  return String(value);
}

function dateLiteral(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new Error('an invalid Date has no Python literal');
  return `datetime.datetime.fromisoformat(${stringLiteral(value.toISOString().replace('Z', '+00:00'))})`;
}

function collection(open: string, entries: readonly string[], close: string): string {
  const inline = `${open}${entries.join(', ')}${close}`;
  if (inline.length <= INLINE_CHARACTERS && !inline.includes('\n')) return inline;
  return `${open}\n${entries.map((entry) => `    ${indented(entry, '    ')},`).join('\n')}\n${close}`;
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1);
}

/** Indents every line but the first; empty lines stay empty. */
function indented(text: string, indentation: string): string {
  return text.replaceAll(/\n(?=[^\n])/g, `\n${indentation}`);
}

/** Takes away the blank first line, the trailing blanks and the common indentation of the template's own lines. */
function dedent(parts: readonly string[]): readonly string[] {
  const widths = parts
    .flatMap((part, index) =>
      part
        .split('\n')
        .slice(index === 0 && !part.startsWith('\n') ? 0 : 1)
        .map((line, at, lines) => ({ line, open: at === lines.length - 1 && index < parts.length - 1 })),
    )
    .filter(({ line, open }) => open || line.trim() !== '')
    .map(({ line }) => /^[^\S\n]*/.exec(line)?.[0].length ?? 0);
  const width = widths.length === 0 ? 0 : Math.min(...widths);
  const strip = new RegExp(`\\n[^\\S\\n]{0,${width}}`, 'g');
  return parts.map((part, index) => {
    let text = part.replaceAll(strip, '\n');
    if (index === 0) text = text.replace(/^\n/, '');
    if (index === parts.length - 1) text = text.replace(/\n[^\S\n]*$/, '');
    return text;
  });
}
