/**
 * Dumps the threads of a running Java a few times a second, as jstack does, over the socket by which Java is attached to:
 * a process of its own for each dump would need more time than what is measured.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { javaProcesses } from './process-times.ts';
import { type ActivitySeconds, type DumpedThread, readThreadDump, secondsSince } from './thread-dump.ts';

const PAUSE_MILLISECONDS = 400;
/** Version of the protocol, command and its three arguments. */
const DUMP_THREADS = '1\0threaddump\0\0\0\0';

/** What Java's threads did until a moment (milliseconds since 1970), since the sample before. */
export interface Sample {
  readonly at: number;
  readonly seconds: ActivitySeconds;
}

/** Samples the Java processes below a process until the signal; each must have been started with ATTACHABLE. */
export async function sampleThreads(leader: number, signal: AbortSignal): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const last = new Map<number, readonly DumpedThread[]>();
  while (!signal.aborted) {
    for (const pid of javaProcesses(leader)) {
      const threads = await dump(pid);
      if (threads.length === 0) continue;
      samples.push({ at: Date.now(), seconds: secondsSince(last.get(pid) ?? [], threads) });
      last.set(pid, threads);
    }
    await wait(PAUSE_MILLISECONDS);
  }
  return samples;
}

/** Java's option by which it listens from the beginning. */
export const ATTACHABLE = '-XX:+StartAttachListener';

/** Empty if Java does not listen, yet or any more. */
async function dump(pid: number): Promise<readonly DumpedThread[]> {
  const socket = connect(`/tmp/.java_pid${pid}`);
  try {
    socket.end(DUMP_THREADS);
    return readThreadDump(await text(socket));
  } catch {
    return [];
  } finally {
    socket.destroy();
  }
}
