/** The containers of YARN on this machine, as processes. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface Container {
  readonly pid: number;
  /** Its number within the application attempt; the first is the application master. */
  readonly number: number;
  /** Folder of its log, which is below that of its node. */
  readonly logFolder: string;
}

const APPLICATION_MASTER = 1;
const LOG_FOLDER = /-Dspark\.yarn\.app\.container\.log\.dir=(\S*container_\d+_\d+_\d+_(\d+))/;

/** Those whose logs are below a folder. */
export function containersBelow(folder: string): readonly Container[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const words = commandOf(name);
      // The shell that starts a container has the same words in one argument.
      const found = words[0]?.endsWith('/java') ? LOG_FOLDER.exec(words.join(' ')) : null;
      const [, logFolder = '', number = ''] = found ?? [];
      return logFolder.startsWith(`${folder}/`)
        ? [{ pid: Number(name), number: Number(number), logFolder }]
        : [];
    });
}

export function isApplicationMaster({ number }: Container): boolean {
  return number === APPLICATION_MASTER;
}

function commandOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has exited since the listing.
    return [];
  }
}

/** Waits until something is there. @param every how often it is looked for, in milliseconds @throws Error naming it after the time */
export async function awaited<Value>(
  what: string,
  find: () => Value | undefined | Promise<Value | undefined>,
  milliseconds: number,
  every = 250,
): Promise<Value> {
  for (const start = Date.now(); Date.now() - start < milliseconds; await delay(every)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`${what}: not within ${milliseconds / 1_000} s`);
}
