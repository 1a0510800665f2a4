/** Whether an object of the lake mentions a user, and what is left of it without. Pure functions. */
import { csvCell } from './csv.ts';
import type { ObjectPlace } from './user-id-places.ts';

type Kind = ObjectPlace['mentions'];

/** Whether the text of an object mentions the user. Numbers that only look like the id are no mention. */
export function mentionsUser(text: string, user: string, kind: Kind): boolean {
  switch (kind) {
    case 'lines':
      return text.split('\n').some((line) => isLineOf(line, user));
    case 'entries': {
      const value = parsed(text);
      // Of an object that cannot be read, any occurrence counts.
      return value === undefined ? text.includes(user) : withoutEntries(value, [user]) !== value;
    }
    case 'page':
      return (
        text.includes(`>${escapedForHtml(user)}</bdi>`) ||
        text.includes(`"id":${escapedForScript(user)}`) ||
        // What is kept of a refused row is a line of JSON.
        text.includes(escapedForHtml(JSON.stringify(user)))
      );
    case 'text':
      return occurrences(text, user).some(([before, after]) => BOUNDARY.test(before) && BOUNDARY.test(after));
  }
}

/** The text of an object without the users; undefined if the object has to be removed. */
export function withoutUsers(text: string, users: readonly string[], kind: Kind): string | undefined {
  if (kind === 'page' || kind === 'text') return undefined;
  if (kind === 'lines') {
    return text
      .split('\n')
      .filter((line) => !users.some((user) => isLineOf(line, user)))
      .join('\n');
  }
  const value = parsed(text);
  const rest = value === undefined ? undefined : withoutEntries(value, users);
  return rest === undefined ? undefined : `${JSON.stringify(rest, undefined, 2)}\n`;
}

/** The id is the first cell. */
function isLineOf(line: string, user: string): boolean {
  return line.startsWith(`${csvCell(user)},`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same value if it mentions nobody; without entries of lists that do; undefined where it does itself. */
function withoutEntries(value: unknown, users: readonly string[]): unknown {
  if (typeof value === 'string') {
    // Examples of refused rows are lines of JSON.
    const isMention = users.some((user) => value === user || value.includes(JSON.stringify(user)));
    return isMention ? undefined : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const rest = value.map((entry) => withoutEntries(entry, users));
    return rest.every((entry, index) => entry === value[index])
      ? value
      : rest.filter((entry) => entry !== undefined);
  }
  const fields = Object.entries(value).map(([key, field]) => ({
    key,
    field,
    rest: withoutEntries(field, users),
  }));
  if (fields.every(({ field, rest }) => field === rest)) return value;
  if (fields.some(({ rest }) => rest === undefined)) return undefined;
  return Object.fromEntries(fields.map(({ key, rest }) => [key, rest]));
}

/** Next to an id in a text. */
const BOUNDARY = /[^\p{L}\p{N}_-]/u;

function occurrences(text: string, user: string): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let at = text.indexOf(user); at !== -1; at = text.indexOf(user, at + 1))
    found.push([text[at - 1] ?? '\n', text[at + user.length] ?? '\n']);
  return found;
}

/** As the report's template escapes values. */
function escapedForHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** As the report's data are written into it. */
function escapedForScript(text: string): string {
  return JSON.stringify(text).replaceAll('<', '\\u003c');
}
