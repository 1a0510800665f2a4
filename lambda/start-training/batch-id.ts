/** The id of a batch. */
import { createHash } from 'node:crypto';
import type { EventFile } from '../../domain/run.ts';

const BATCH_ID_DIGITS = 16;

/** What a batch does, and what it follows. */
export interface BatchContent {
  readonly files: readonly Pick<EventFile, 'uri' | 'etag'>[];
  readonly takenOut: readonly { readonly uri: string }[];
  /** The batch that was ledgered last. */
  readonly previous: string | undefined;
}

/**
 * The same files after the same batch make the same batch, in whatever order they are listed: so a retry finds what an
 * earlier attempt left. After another batch they make another, because a file may go back to a former version.
 */
export function batchIdOf({ files, takenOut, previous }: BatchContent): string {
  const lines = [
    ...files.map(({ uri, etag }) => JSON.stringify([uri, etag])),
    ...takenOut.map(({ uri }) => JSON.stringify(['taken out', uri])),
  ].sort();
  const hash = createHash('sha256').update(`${previous ?? ''}\n`);
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest('hex').slice(0, BATCH_ID_DIGITS);
}
