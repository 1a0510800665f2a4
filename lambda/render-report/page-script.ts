/** The page's script as it is allowed to run: by the hash of its text. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PAGE_SCRIPT } from '../../domain/operations.ts';

/** Gives the text of the script. */
export type PageScript = () => Promise<string>;

/** The script that was bundled with this Lambda. */
export const bundledPageScript: PageScript = () =>
  readFile(new URL(`./${PAGE_SCRIPT.file}`, import.meta.url), 'utf8');

/** Source of a script in a Content-Security-Policy. */
export function hashSource(script: string): string {
  return `'sha256-${createHash('sha256').update(script, 'utf8').digest('base64')}'`;
}

/** Text that can be between script tags: its end tag, or what begins a comment, would end or hide the rest. */
export function inlineScript(script: string): string {
  return script.replaceAll(/<(?=\/script|!--|script)/gi, '\\x3c').trim();
}

/** JSON between script tags: no text in it can end them. */
export function inlineJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
