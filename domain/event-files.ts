/**
 * Which files below the place of a log are event files, by their names and sizes, and why the others are passed over.
 * Hadoop chooses how to decompress a file by its ending, in small letters only: one in capitals is unpacked by ingest itself,
 * in memory, and is therefore limited in size.
 */
import { LARGEST_CUT_BYTES, PACKED_BYTES_FACTOR } from './adaptations.ts';

/** Endings of event files before that of their compression, in small or capital letters. */
export const EVENT_FILE_ENDINGS = ['.json', '.jsonl', '.ndjson', '.log'] as const;
/** Endings of compressions that every cluster can read. */
export const COMPRESSION_ENDINGS = ['.gz', '.bz2'] as const;

/** Why a file is passed over: what such files are, and what makes their events readable, if they hold any. */
export const PASSED_OVER = {
  empty: { are: 'empty', remedy: 'if events are missing, deliver the files again' },
  marker: { are: 'markers of the programs that wrote them', remedy: '' },
  hidden: {
    are: 'hidden or temporary by a name that begins with "." or "_"',
    remedy: 'if they hold events, rename them',
  },
  zip: { are: 'zip archives', remedy: 'unpack them, and deliver what is in them as .json or .json.gz' },
  zstd: { are: 'compressed with zstd', remedy: 'decompress them (zstd -d), or compress them with gzip' },
  snappy: { are: 'compressed with snappy', remedy: 'decompress them, or compress them with gzip' },
  other_compression: {
    are: 'archives, or compressed otherwise than with gzip or bzip2',
    remedy: 'decompress them, or compress them with gzip',
  },
  capital_compression: {
    are: 'compressed, with an ending in capital letters, and larger than 44 MB',
    remedy: 'rename them: .gz and .bz2 in small letters are read at any size',
  },
  columnar: { are: 'Parquet, ORC or Avro', remedy: 'export the log as JSON lines' },
  table: { are: 'tables of text, such as CSV', remedy: 'export the log as JSON lines' },
  unknown_ending: {
    are: 'of no known ending',
    remedy: 'if they hold events as JSON lines, rename them to .json, or .json.gz',
  },
  no_events: { are: 'no event files by their first lines', remedy: '' },
  unnamed_compression: {
    are: 'compressed, and their names do not say so',
    remedy: 'rename them: .gz for gzip, .bz2 for bzip2',
  },
} as const satisfies Readonly<Record<string, { readonly are: string; readonly remedy: string }>>;
export type PassedOverReason = keyof typeof PASSED_OVER;

const isReason = (text: string): text is PassedOverReason => text in PASSED_OVER;
export const PASSED_OVER_REASONS: readonly PassedOverReason[] = Object.keys(PASSED_OVER).filter(isReason);

const ENDINGS: Readonly<Record<string, PassedOverReason>> = {
  '.zip': 'zip',
  '.zst': 'zstd',
  '.zstd': 'zstd',
  '.snappy': 'snappy',
  '.sz': 'snappy',
  '.7z': 'other_compression',
  '.br': 'other_compression',
  '.deflate': 'other_compression',
  '.lz4': 'other_compression',
  '.lzo': 'other_compression',
  '.rar': 'other_compression',
  '.tar': 'other_compression',
  '.tgz': 'other_compression',
  '.xz': 'other_compression',
  '.z': 'other_compression',
  '.avro': 'columnar',
  '.orc': 'columnar',
  '.parquet': 'columnar',
  '.csv': 'table',
  '.tsv': 'table',
  '.crc': 'marker',
};

/** Names of markers that writers leave beside their files. */
const MARKER = /^(_SUCCESS|_committed_.*|_started_.*|\.DS_Store|\..*\.crc|.*_\$folder\$|)$/;

/** Whether a file is compressed and its ending does not say so in small letters. */
export function isPackedInCapitals(uri: string): boolean {
  return COMPRESSION_ENDINGS.some((ending) => uri.toLowerCase().endsWith(ending) && !uri.endsWith(ending));
}

/** Endings consist of letters and digits and begin with a letter: ".07" and "-00-00-05" are parts of a name. */
const ENDING = /\.[a-z][a-z0-9]{0,9}$/;

export type FileKind =
  | { readonly kind: 'events' }
  /** The name does not say what it holds: ingest looks at its first lines. */
  | { readonly kind: 'unsure' }
  | { readonly kind: 'passed over'; readonly reason: PassedOverReason };

/** @param path below the folder of the log, or a name alone */
export function fileKind(path: string, bytes: number): FileKind {
  const names = path.split('/');
  const name = names.at(-1) ?? '';
  if (MARKER.test(name) || names.slice(0, -1).some((folder) => folder === '_temporary')) {
    return { kind: 'passed over', reason: 'marker' };
  }
  if (names.some((part) => /^[._]/.test(part))) return { kind: 'passed over', reason: 'hidden' };
  const named = kindOfName(name);
  if (named.kind === 'passed over') return named;
  if (bytes === 0) return { kind: 'passed over', reason: 'empty' };
  const isTooLarge = bytes * PACKED_BYTES_FACTOR > LARGEST_CUT_BYTES;
  return isPackedInCapitals(name) && isTooLarge
    ? { kind: 'passed over', reason: 'capital_compression' }
    : named;
}

/** The same by the name alone, of a file that is neither hidden nor empty. */
function kindOfName(name: string): FileKind {
  const lower = name.toLowerCase();
  const compression = COMPRESSION_ENDINGS.find((ending) => lower.endsWith(ending));
  const bare = compression === undefined ? lower : lower.slice(0, -compression.length);
  const ending = ENDING.exec(bare)?.[0];
  if (ending === undefined || ending === '.log') return { kind: 'unsure' };
  if (EVENT_FILE_ENDINGS.some((known) => known === ending)) return { kind: 'events' };
  return { kind: 'passed over', reason: ENDINGS[ending] ?? 'unknown_ending' };
}
