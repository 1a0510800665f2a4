import { describe, expect, test } from 'vitest';
import { clusterConfigurations } from '../../../lib/compute/cluster-settings.ts';

const deployed = clusterConfigurations('s3://Lake', 'arn:aws:kms:eu-central-1:111122223333:key/data');

/** The properties of one of EMR's classifications. */
function properties(classification: string): Readonly<Record<string, string>> {
  const found = deployed.filter((each) => each.classification === classification);
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
});
