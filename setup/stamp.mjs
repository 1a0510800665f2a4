/**
 * Marks an installation as complete. A stamp is written last and holds a hash of everything that the installation was
 * made from: without a stamp the installation is incomplete, with another hash it is out of date; either way it is
 * replaced.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STAMP = '.set-up';

/**
 * @param {readonly string[]} files whose contents are part of the hash
 * @param {readonly string[]} facts that are part of it too
 */
export function hashOf(files, facts) {
  const hash = createHash('sha256');
  for (const part of [...facts, ...files.map((file) => readFileSync(file))]) {
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest('hex');
}

/** @param {string} folder @param {string} hash */
export function isStamped(folder, hash) {
  try {
    return readFileSync(join(folder, STAMP), 'utf8') === hash;
  } catch {
    return false;
  }
}

/** @param {string} folder @param {string} hash */
export const stamp = (folder, hash) => writeFileSync(join(folder, STAMP), hash);
