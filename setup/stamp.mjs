/**
 * Marks an installation as whole. A stamp is written last, and holds a hash of all that the installation was made
 * from: without the stamp it is a ruin, with another hash it is out of date, and either way it is made anew.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STAMP = '.set-up';

/**
 * @param {readonly string[]} files whose contents count
 * @param {readonly string[]} facts that count as well
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
