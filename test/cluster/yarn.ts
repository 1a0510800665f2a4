/** YARN on this machine: a ResourceManager and two NodeManagers, each a process with an address of its own. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { endGroup, killGroup, spawnGroup } from '../../local/processes/group.ts';
import { identify, type ProcessIdentity } from '../../local/processes/identity.ts';
import { LOG4J_PROPERTIES } from '../../local/spark/configuration.ts';
import { javaHome } from '../../setup/environment.mjs';
import { type Classifications, hadoopXml, merged } from './classifications.ts';
import { DAEMON_CLASS_PATH, DAEMON_JAVA_OPTIONS, NATIVE_MEMORY, yarnOverrides } from './overrides.ts';

const RESOURCE_MANAGER = 'http://127.0.0.1:8088/ws/v1/cluster';
/** The first is a core node, the second a task node. Linux answers on every address of 127.0.0.0/8. */
const NODES = [
  { address: '127.0.0.2', label: 'CORE' },
  { address: '127.0.0.3', label: undefined },
] as const;
const START_SECONDS = 300;

const nodesSchema = listOf('nodes', 'node', z.object({ state: z.string(), nodeHTTPAddress: z.string() }));
const applicationsSchema = listOf(
  'apps',
  'app',
  z.object({
    id: z.string(),
    name: z.string(),
    amHostHttpAddress: z.string().optional(),
    diagnostics: z.string().optional(),
    finalStatus: z.string(),
  }),
);

/** With the root element the list is one level deeper: `{ nodes: { node: [...] } }` instead of `{ nodes: [...] }`. */
function listOf<Item extends z.ZodType>(root: string, name: string, item: Item) {
  const items = z.array(item);
  const nested = z.looseObject({ [name]: items.default([]) }).transform((list) => items.parse(list[name]));
  return z
    .looseObject({ [root]: z.union([items, nested]).nullish() })
    .transform((answer) => items.parse(answer[root] ?? []));
}

export type Application = z.infer<typeof applicationsSchema>[number];

export interface Yarn {
  /** HADOOP_CONF_DIR of the submitter. */
  readonly configurationFolder: string;
  /** Folder of the containers' logs of a node, by its address. */
  readonly containerLogs: (address: string) => string;
  /** The address of the node with the label CORE. */
  readonly coreAddress: string;
  readonly nodeAddresses: readonly string[];
  readonly applications: () => Promise<readonly Application[]>;
  /** Kills the NodeManager of a node with its containers, as if the node were gone. */
  readonly lose: (address: string) => void;
  readonly stop: () => Promise<void>;
}

/** Starts the daemons; rejects with the end of their logs if they do not run in time. @param folder an empty one, for all their files */
export async function startYarn(folder: string, classifications: Classifications): Promise<Yarn> {
  const settings = merged(classifications, yarnOverrides(folder));
  const configurationFolder = join(folder, 'conf');
  await mkdir(join(folder, 'labels'), { recursive: true });
  await writeConfiguration(configurationFolder, settings);
  const daemons: ProcessIdentity[] = [];
  const managers = new Map<string, ProcessIdentity>();
  const stop = async (): Promise<void> => {
    // A NodeManager that has lost its ResourceManager does not stop when it is asked to.
    await Promise.all(daemons.map((daemon) => endGroup(daemon, 500)));
  };
  try {
    const labels = settings['yarn-site']?.['yarn.node-labels.enabled'] === 'true';
    daemons.push(
      await startDaemon(folder, 'resourcemanager.ResourceManager', configurationFolder, 'resource-manager'),
    );
    await until('the ResourceManager answers', async () => (await fetch(`${RESOURCE_MANAGER}/info`)).ok);
    if (labels) await addCoreLabel();
    for (const { address, label } of NODES) {
      const own = join(folder, `conf-${address}`);
      await writeConfiguration(
        own,
        merged(settings, { 'yarn-site': nodeSettings(folder, address, labels ? label : undefined) }),
      );
      const manager = await startDaemon(folder, 'nodemanager.NodeManager', own, address);
      managers.set(address, manager);
      daemons.push(manager);
    }
    await until('both nodes run', async () => (await runningNodes()).length === NODES.length);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    configurationFolder,
    containerLogs: (address) => join(folder, `logs-${address}`),
    coreAddress: NODES[0].address,
    nodeAddresses: NODES.map(({ address }) => address),
    lose(address) {
      const manager = managers.get(address);
      if (manager === undefined) throw new Error(`YARN has no node ${address}`);
      killGroup(manager);
    },
    applications: async () => applicationsSchema.parse(await answer(`${RESOURCE_MANAGER}/apps`)),
    stop,
  };
}

function nodeSettings(folder: string, address: string, label: string | undefined): Record<string, string> {
  return {
    'yarn.nodemanager.hostname': address,
    'yarn.nodemanager.bind-host': address,
    'yarn.nodemanager.address': `${address}:8041`,
    'yarn.nodemanager.localizer.address': `${address}:8040`,
    'yarn.nodemanager.collector-service.address': `${address}:8048`,
    'yarn.nodemanager.webapp.address': `${address}:8042`,
    'yarn.nodemanager.local-dirs': join(folder, `local-${address}`),
    'yarn.nodemanager.log-dirs': join(folder, `logs-${address}`),
    // EMR labels a core node in its own configuration.
    ...(label === undefined
      ? {}
      : {
          'yarn.nodemanager.node-labels.provider': 'config',
          'yarn.nodemanager.node-labels.provider.configured-node-partition': label,
        }),
  };
}

async function writeConfiguration(folder: string, classifications: Classifications): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of ['core-site', 'yarn-site', 'capacity-scheduler']) {
    await writeFile(join(folder, `${name}.xml`), hadoopXml(classifications[name] ?? {}));
  }
  await writeFile(join(folder, 'log4j2.properties'), LOG4J_PROPERTIES);
}

async function startDaemon(
  folder: string,
  name: string,
  configurationFolder: string,
  logName: string,
): Promise<ProcessIdentity> {
  const main = `org.apache.hadoop.yarn.server.${name}`;
  const child = spawnGroup(
    [
      join(javaHome, 'bin', 'java'),
      ...DAEMON_JAVA_OPTIONS,
      ...['-cp', [configurationFolder, ...DAEMON_CLASS_PATH].join(':'), main],
    ],
    {
      environment: { PATH: process.env.PATH ?? '', JAVA_HOME: javaHome, USER: 'hadoop', ...NATIVE_MEMORY },
      folder,
    },
  );
  const log = createWriteStream(join(folder, `${logName}.log`));
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  await once(child, 'spawn');
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error(`${name} ended as soon as it was started`);
  return identity;
}

/** EMR's image adds the label when a cluster starts; not exclusive, so executors may use core nodes too. */
async function addCoreLabel(): Promise<void> {
  const response = await fetch(`${RESOURCE_MANAGER}/add-node-labels?user.name=hadoop`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ nodeLabelsInfo: [{ name: 'CORE', exclusivity: false }] }),
  });
  if (!response.ok)
    throw new Error(`YARN did not add the label: ${response.status} ${await response.text()}`);
}

async function runningNodes(): Promise<readonly string[]> {
  const nodes = nodesSchema.parse(await answer(`${RESOURCE_MANAGER}/nodes`));
  return nodes.filter(({ state }) => state === 'RUNNING').map(({ nodeHTTPAddress }) => nodeHTTPAddress);
}

async function answer(url: string): Promise<unknown> {
  const response = await fetch(url, { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const start = Date.now(); Date.now() - start < START_SECONDS * 1_000; await delay(500)) {
    if (await holds().catch(() => false)) return;
  }
  throw new Error(`${what}: not within ${START_SECONDS} s`);
}
