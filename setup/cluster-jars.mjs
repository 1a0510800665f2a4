/**
 * What `npm run test:cluster` needs beside Spark: the daemons of YARN, Spark's shuffle service, and the connectors to S3
 * and Glue.
 */
import { join } from 'node:path';
import { SetUpError } from './failure.mjs';
import { downloadFiles, fileName, haveFiles } from './maven-files.mjs';

/** @import { Part } from './ensure.mjs' */
/** @import { Locations } from './environment.mjs' */

const what = 'the parts of the rehearsal';

/**
 * Coordinates and SHA-256 by use: `daemons` are on the class path of YARN only, `connectors` on that of Spark only.
 * @type {Readonly<Record<'daemons' | 'connectors', Readonly<Record<string, string>>>>}
 */
export const CLUSTER_JARS = {
  daemons: {
    'org.apache.hadoop:hadoop-client-minicluster:3.3.4':
      'cd8a1703393946c302bb3a52d0fcd23f6f8ded4554bc0dac5d2ee673dbe2b40e',
    // YARN's code for certificates: without it the ResourceManager does not start.
    'org.bouncycastle:bcprov-jdk15on:1.60':
      '7f1a0e6badab38666f8467a9a0ee96656b2f8ec8623867ed34f3cdc173b7ee07',
    'org.bouncycastle:bcpkix-jdk15on:1.60':
      'a82ac5bc24bcbf6ba9eb70f334d6782e25245c8da36d9848ad553b5b7b68efd1',
    // There is no 3.5.6 of it; it works with the network classes of 3.5.6.
    'org.apache.spark:spark-network-yarn_2.12:3.5.5':
      'e6f6be1dc4e49c09369025c391dacae445e917980ab20ce98c41f7c59b466894',
  },
  connectors: {
    'org.apache.iceberg:iceberg-aws-bundle:1.10.1':
      '86bf20892ea5b4c17688f19b075399885f6aa5303f6b2dc9f491e76ceef9633b',
    'org.apache.hadoop:hadoop-aws:3.3.4': '53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a',
    'com.amazonaws:aws-java-sdk-core:1.12.262':
      '06fed99f929c389e168278c1b111aaf1afb270d07202fbbce92e73d1e4279678',
    'com.amazonaws:aws-java-sdk-s3:1.12.262':
      'a0cb7580178bc0d4d3558295a5bb890008478da8a6b3241989c71238b0ed3be5',
    'com.amazonaws:aws-java-sdk-kms:1.12.262':
      'c00f5ae7b334255f661d85512e7203af9523a04fb65d0c431c2eea2003ed8ae2',
    'com.amazonaws:aws-java-sdk-sts:1.12.262':
      '659f48d8ebc02025c5042cc4b925f62610e81f334498f1b9e7a271ce20ecbcae',
    'com.amazonaws:aws-java-sdk-dynamodb:1.12.262':
      '7af4ba06d0d9b3c2ab435089caecd0567810d203aa285f7aa72861f1964d442e',
    'com.amazonaws:jmespath-java:1.12.262':
      '9001ea993a45d82a2d3086edcbda8a40b4e012d049a70fbf071fd329c0fbd777',
  },
};

/**
 * The files of one use, in the order in which they are listed.
 * @param {Locations} locations
 * @param {keyof typeof CLUSTER_JARS} use
 * @returns {readonly string[]} absolute paths
 */
export const clusterJarFiles = (locations, use) =>
  Object.keys(CLUSTER_JARS[use]).map((coordinates) =>
    join(locations.clusterJarsFolder, fileName(coordinates)),
  );

const all = { ...CLUSTER_JARS.daemons, ...CLUSTER_JARS.connectors };

/** What the rehearsal needs in addition: pass it to ensureSetUp. @type {Part} */
export const clusterJars = {
  title: 'YARN, and the connectors to S3 and Glue, for the rehearsal',
  megabytes: 110,
  seconds: 30,

  isCurrent: (locations) => haveFiles(all, locations.clusterJarsFolder),

  checkMachine: () => refuseOtherMachines(process),

  async install(locations, signal) {
    const target = locations.clusterJarsFolder;
    await downloadFiles(locations, { what, logName: 'cluster-jars', files: all, target, signal });
  },
};

/** @param {{ platform: string, arch: string }} machine */
export function refuseOtherMachines({ platform, arch }) {
  if (platform === 'linux' && (arch === 'x64' || arch === 'arm64')) return;
  throw new SetUpError(
    `The rehearsal of the cluster runs on Linux on x64 or arm64, and this machine is ${platform} on ${arch}: run it in CI or in a virtual machine.`,
  );
}
