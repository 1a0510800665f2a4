/** Lets one process at a time set up the project; others wait for it. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const HEARTBEAT_MS = 5_000;
/** A holder without a sign of life for this long is gone, even if another process has its process id now. */
const GIVEN_UP_AFTER_MS = 60_000;
const POLL_MS = 500;

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Error && 'code' in error ? error.code : undefined);

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** @param {string} file @returns {{ text: string, age: number } | undefined} */
function readHolder(file) {
  try {
    return { text: readFileSync(file, 'utf8'), age: Date.now() - statSync(file).mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {{ text: string, age: number }} holder */
function isGone({ text, age }) {
  if (age > GIVEN_UP_AFTER_MS) return true;
  const [pid, host] = text.split(' ');
  // An empty file is a lock being written at this moment.
  return text !== '' && host === hostname() && !isAlive(Number(pid));
}

/** @param {string} file @param {string} text the content that showed that its holder is gone */
function clear(file, text) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Another waiter may have cleared the lock and taken it since it was read: then it gets its lock back.
  if (readFileSync(aside, 'utf8') === text) rmSync(aside);
  else renameSync(aside, file);
}

/**
 * Runs `work` while holding the lock.
 * @template T
 * @param {string} file
 * @param {object} options
 * @param {(holder: string) => void} options.onWait called once if another process holds it, with its process id
 * @param {AbortSignal} options.signal aborts the waiting
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, { onWait, signal }, work) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${process.pid} ${hostname()} ${Date.now()}`;
  for (let waiting = false; ; ) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    if (holder === undefined) continue;
    if (isGone(holder)) {
      clear(file, holder.text);
      continue;
    }
    if (!waiting) onWait(holder.text.split(' ')[0] ?? '');
    waiting = true;
    await sleep(POLL_MS, undefined, { signal });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // The environment folder was deleted in the meantime; the work itself will notice.
    }
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if (readHolder(file)?.text === mine) rmSync(file);
  }
}
