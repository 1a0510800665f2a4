/**
 * `file://` URIs as the lake writes them: the plain path after the scheme, without percent-encoding, because Hadoop
 * takes the characters literally.
 */
import { isAbsolute, normalize } from 'node:path';

const SCHEME = 'file://';

/** The URI of an absolute path, without a slash at the end. */
export function fileUri(path: string): string {
  if (!isAbsolute(path)) throw new Error(`"${path}" is not an absolute path, so it has no file URI`);
  const trimmed = normalize(path).replace(/\/+$/, '');
  return `${SCHEME}${trimmed}`;
}

/** The absolute path of a `file:///` URI. */
export function filePath(uri: string): string {
  if (!uri.startsWith(`${SCHEME}/`)) {
    throw new Error(
      `"${uri}" is not on this machine: a local run reads and writes only file:///absolute/path`,
    );
  }
  return normalize(uri.slice(SCHEME.length));
}
