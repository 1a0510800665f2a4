/** The configuration of the rehearsed cluster: EMR's own defaults, on top the deployed classifications, and last what a test needs. */

import { z } from 'zod';

/** Properties by classification: `spark-defaults`, `yarn-site`, `capacity-scheduler`. */
export type Classifications = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** One entry of CreateCluster's `Configurations`. */
export const deployedConfigurationSchema = z.looseObject({
  Classification: z.string(),
  Properties: z.record(z.string(), z.string()).optional(),
});
export type DeployedConfiguration = Readonly<z.infer<typeof deployedConfigurationSchema>>;

/** What EMR sets before it applies a cluster's own classifications, as far as the pipeline depends on it. */
export const EMR_DEFAULTS: Classifications = {
  'spark-defaults': {
    'spark.master': 'yarn',
    'spark.shuffle.service.enabled': 'true',
    'spark.dynamicAllocation.enabled': 'true',
  },
  'yarn-site': {
    'yarn.nodemanager.aux-services': 'spark_shuffle',
    'yarn.nodemanager.aux-services.spark_shuffle.class': 'org.apache.spark.network.yarn.YarnShuffleService',
    'yarn.resourcemanager.scheduler.class':
      'org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.CapacityScheduler',
    // Core nodes name their label themselves; it counts only where labels are on.
    'yarn.node-labels.configuration-type': 'distributed',
  },
  'capacity-scheduler': {
    'yarn.scheduler.capacity.root.queues': 'default',
    'yarn.scheduler.capacity.root.default.capacity': '100',
    'yarn.scheduler.capacity.maximum-am-resource-percent': '1',
  },
};

/** Merges property by property; a later source overrides an earlier one. */
export function merged(...sources: readonly Classifications[]): Classifications {
  const names = [...new Set(sources.flatMap((source) => Object.keys(source)))];
  return Object.fromEntries(
    names.map((name) => [name, Object.assign({}, ...sources.map((source) => source[name] ?? {}))]),
  );
}

/** The classifications that CreateCluster passes. */
export function deployed(configurations: readonly DeployedConfiguration[]): Classifications {
  return merged(
    ...configurations.map(({ Classification: name, Properties: properties }) => ({
      [name]: properties ?? {},
    })),
  );
}

/** Set by EMR's build of YARN only: the label on which application masters run. */
const AM_LABEL = 'yarn.node-labels.am.default-node-label-expression';

/**
 * What EMR's YARN would do with a property that the open one does not know, said with a property of Spark. Without node
 * labels an application master may run anywhere, here as there.
 */
export function applicationMasterLabel(classifications: Classifications): Classifications {
  const site = classifications['yarn-site'] ?? {};
  const label = site[AM_LABEL];
  if (site['yarn.node-labels.enabled'] !== 'true' || label === undefined) return {};
  return { 'spark-defaults': { 'spark.yarn.am.nodeLabelExpression': label } };
}

/** A configuration file of Hadoop. */
export function hadoopXml(properties: Readonly<Record<string, string>>): string {
  const entries = Object.entries(properties).map(
    ([name, value]) =>
      `  <property><name>${escaped(name)}</name><value>${escaped(value)}</value></property>\n`,
  );
  return `<?xml version="1.0"?>\n<configuration>\n${entries.join('')}</configuration>\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
