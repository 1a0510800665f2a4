import { describe, expect, test } from 'vitest';
import { clusterConfigurations } from '../../../lib/compute/cluster-settings.ts';

const SETTINGS = { lakeRoot: 's3://Lake', keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/data' } as const;

/** The properties of one of EMR's classifications. */
function properties(classification: string, nodeLabels = true): Readonly<Record<string, string>> {
  const found = clusterConfigurations({ ...SETTINGS, nodeLabels }).filter(
    (each) => each.classification === classification,
  );
  expect(found, classification).toHaveLength(1);
  return found[0]?.properties ?? {};
}

describe('the settings of software on the cluster', () => {
  /**
   * One decision (docs/decisions/no-shuffle-service.md): the service in YARN's NodeManager, which EMR turns on, authenticates
   * by YARN's configuration, so no executor that authenticates by Spark's can register with it. Executors that stay do
   * without the service, and dynamic allocation must be off for that, as it must be for XGBoost's barrier stages.
   */
  test('executors that authenticate and encrypt do not register with the shuffle service', () => {
    expect(properties('spark-defaults')).toMatchObject({
      'spark.authenticate': 'true',
      'spark.network.crypto.enabled': 'true',
      'spark.shuffle.service.enabled': 'false',
      'spark.dynamicAllocation.enabled': 'false',
    });
  });

  test('application masters run on core nodes, whose label both queues may use to the full', () => {
    expect(properties('spark-defaults')['spark.yarn.am.nodeLabelExpression']).toBe('CORE');
    expect(properties('yarn-site')).toMatchObject({
      'yarn.node-labels.enabled': 'true',
      'yarn.node-labels.am.default-node-label-expression': 'CORE',
    });
    for (const queue of ['root', 'root.default']) {
      expect(properties('capacity-scheduler')).toMatchObject({
        [`yarn.scheduler.capacity.${queue}.accessible-node-labels`]: '*',
        [`yarn.scheduler.capacity.${queue}.accessible-node-labels.CORE.capacity`]: '100',
        [`yarn.scheduler.capacity.${queue}.accessible-node-labels.CORE.maximum-capacity`]: '100',
      });
    }
  });

  test('nothing mentions a label when labels are switched off', () => {
    for (const classification of ['yarn-site', 'capacity-scheduler', 'spark-defaults']) {
      expect(JSON.stringify(properties(classification, false)), classification).not.toMatch(/label/i);
    }
  });

  /** Some types have twice the memory of others: counting memory alone, YARN would put two executors on one of those. */
  test('an instance takes one executor and the application master, never two executors', () => {
    const calculator = 'org.apache.hadoop.yarn.util.resource.DominantResourceCalculator';
    const executor = Number(properties('spark-defaults')['spark.executor.cores']);
    for (const nodeLabels of [true, false]) {
      expect(
        properties('capacity-scheduler', nodeLabels)['yarn.scheduler.capacity.resource-calculator'],
      ).toBe(calculator);
      const cores = Number(properties('yarn-site', nodeLabels)['yarn.nodemanager.resource.cpu-vcores']);
      expect(cores).toBeGreaterThanOrEqual(executor + 1);
      expect(cores).toBeLessThan(2 * executor);
    }
  });
});
