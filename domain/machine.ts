/** What a machine must have before a local run starts. Pure functions over what was found. */
import { type Finding, ok } from './preflight.ts';

export interface MachineFacts {
  /** Bytes that this process and its children may use: the container's limit, or the machine's memory. */
  readonly memoryBytes: number;
  readonly isContainer: boolean;
  readonly cores: number;
  readonly projectFolder: string;
  /** Whether a file can be created in the project's folder. */
  readonly projectIsWritable: boolean;
  readonly isSetUp: boolean;
  readonly lakeFolder: string;
  /** What can be done in the lake's folder, or in the nearest folder above it that exists. */
  readonly lake: {
    readonly isWritable: boolean;
    readonly runsPrograms: boolean;
    readonly hasHardLinks: boolean;
    readonly freeBytes: number;
  };
  /** Names of environment variables with which other programs are configured. */
  readonly foreignVariables: readonly string[];
  readonly hostName: string;
  readonly hostNameResolves: boolean;
}

const GIBIBYTE = 1_073_741_824;
/** Java's least heap, and what Python, XGBoost and Java need beside it. */
const LEAST_MEMORY_BYTES = 2 * GIBIBYTE;
const COMFORTABLE_MEMORY_BYTES = 5 * GIBIBYTE;
const LEAST_FREE_BYTES = GIBIBYTE;

/** Every check, in the order in which they are shown. */
export function machineFindings(facts: MachineFacts): readonly Finding[] {
  return [memory(facts), processors(facts), project(facts), ...lake(facts), variables(facts), host(facts)];
}

function memory({ memoryBytes, isContainer }: MachineFacts): Finding {
  const check = 'memory';
  const found = `${(memoryBytes / GIBIBYTE).toFixed(1)} GiB${isContainer ? ', the limit of this container' : ''}`;
  if (memoryBytes < LEAST_MEMORY_BYTES) {
    return stops(
      check,
      `${found}: Spark and the model need 2 GiB`,
      'give the container or the machine 4 GiB or more',
    );
  }
  return memoryBytes < COMFORTABLE_MEMORY_BYTES
    ? { ...ok(check, `${found}: enough for a small log; the heap follows it`) }
    : ok(check, found);
}

function processors({ cores }: MachineFacts): Finding {
  return ok('processors', cores === 1 ? '1: a run takes longer' : String(cores));
}

function project({ projectFolder, projectIsWritable, isSetUp }: MachineFacts): Finding {
  const check = `folder of the project ${projectFolder}`;
  if (projectIsWritable)
    return ok(check, isSetUp ? 'writable, and set up' : 'writable; the first command sets it up');
  return stops(
    check,
    'cannot be written to: a run synthesizes the app in its folder cdk.out',
    'copy the project to a folder that you may write to',
  );
}

function lake({ lakeFolder, lake: folder }: MachineFacts): readonly Finding[] {
  const check = `lake ${lakeFolder}`;
  if (/[,\n\r]/.test(lakeFolder)) {
    return [
      stops(
        check,
        'has a comma or a line break in its path, at which Spark cuts it',
        'name another with --lake',
      ),
    ];
  }
  if (!folder.isWritable) return [stops(check, 'cannot be written to', 'name another folder with --lake')];
  if (!folder.runsPrograms) {
    return [
      stops(
        check,
        'is on a file system that runs no programs (noexec), and Java unpacks its libraries there',
        'name a folder on another file system with --lake',
      ),
    ];
  }
  return [
    ok(check, folder.hasHardLinks ? 'writable' : 'writable, without hard links: files are copied instead'),
    folder.freeBytes < LEAST_FREE_BYTES
      ? stops(
          'free space for the lake',
          `${Math.floor(folder.freeBytes / 1e6)} MB`,
          'free 1 GB or more, or name another folder with --lake',
        )
      : ok('free space for the lake', `${(folder.freeBytes / 1e9).toFixed(1)} GB`),
  ];
}

function variables({ foreignVariables }: MachineFacts): Finding {
  const found =
    foreignVariables.length === 0
      ? 'none of another Spark, Java or Python'
      : `${foreignVariables.join(', ')}: kept out of the set-up and of every step`;
  return ok('environment variables', found);
}

function host({ hostName, hostNameResolves }: MachineFacts): Finding {
  return ok(
    `host name ${hostName}`,
    hostNameResolves
      ? 'has an address'
      : 'has no address: Spark is bound to 127.0.0.1 and does not ask for it',
  );
}

function stops(check: string, found: string, whatToDo: string): Finding {
  return { check, status: 'problem', found, whatToDo, stopsRuns: true };
}
