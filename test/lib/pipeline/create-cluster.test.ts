/** cdk-nag's rules on EMR do not see a cluster that a state machine makes: what they would ask for is asked for here. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { instanceUsdPerHour } from '../../../domain/cost.ts';
import { CLUSTER_TAGS } from '../../../domain/operations.ts';
import { synthesize } from '../../support/synthesize.ts';
import { allStates } from './definition.ts';

const fleetSchema = z.looseObject({
  InstanceFleetType: z.string(),
  InstanceTypeConfigs: z.array(
    z.looseObject({ InstanceType: z.string(), WeightedCapacity: z.number(), EbsConfiguration: z.unknown() }),
  ),
  LaunchSpecifications: z.unknown(),
});

const parameters = z
  .looseObject({
    Instances: z.looseObject({ InstanceFleets: z.array(fleetSchema) }),
    Configurations: z.array(
      z.looseObject({ Classification: z.string(), Properties: z.record(z.string(), z.string()).optional() }),
    ),
  })
  .parse(allStates.get('CreateCluster')?.Parameters);

const { Instances: instances, Configurations: configurations } = parameters;

function fleet(type: string): z.infer<typeof fleetSchema> | undefined {
  return instances.InstanceFleets.find(({ InstanceFleetType }) => InstanceFleetType === type);
}

function properties(classification: string): Record<string, string> {
  return configurations.find(({ Classification }) => Classification === classification)?.Properties ?? {};
}

describe('the cluster', () => {
  test('is the release whose Spark the project is tested with', () => {
    expect(parameters).toMatchObject({
      ReleaseLabel: 'emr-7.13.0',
      Applications: [{ Name: 'Hadoop' }, { Name: 'Spark' }],
    });
  });

  test('is named and tagged by its run', () => {
    const { prefix } = synthesize().configuration;
    expect(parameters).toMatchObject({
      'Name.$': `States.Format('${prefix}-{}', $$.Execution.Name)`,
      Tags: expect.arrayContaining([
        { Key: CLUSTER_TAGS.pipeline, Value: prefix },
        { Key: CLUSTER_TAGS.runId, 'Value.$': '$$.Execution.Name' },
        { Key: CLUSTER_TAGS.executionArn, 'Value.$': '$$.Execution.Id' },
        { Key: 'for-use-with-amazon-emr-managed-policies', Value: 'true' },
      ]),
    });
  });

  test('logs to S3, under a security configuration, with its own roles', () => {
    expect(parameters).toMatchObject({
      LogUri: expect.stringMatching(/^s3:\/\/[^/]+\/clusters\/$/),
      SecurityConfiguration: expect.stringMatching(/./),
      ServiceRole: expect.stringMatching(/./),
      JobFlowRole: expect.stringMatching(/./),
    });
  });

  test('lies in two subnets, in security groups of our own', () => {
    expect(instances).toMatchObject({
      Ec2SubnetIds: [expect.any(String), expect.any(String)],
      EmrManagedMasterSecurityGroup: expect.stringMatching(/./),
      EmrManagedSlaveSecurityGroup: expect.stringMatching(/./),
      ServiceAccessSecurityGroup: expect.stringMatching(/./),
    });
    expect(instances).not.toHaveProperty('Ec2KeyName');
  });

  test('stays for its steps, and terminates itself when it is idle', () => {
    expect(parameters).toMatchObject({
      Instances: { KeepJobFlowAliveWhenNoSteps: true, TerminationProtected: false },
      AutoTerminationPolicy: { IdleTimeout: 1_800 },
    });
  });
});

describe('its fleets', () => {
  test('are one primary and a core on demand, and tasks on spot, as large as the plan says', () => {
    expect(fleet('MASTER')).toMatchObject({ TargetOnDemandCapacity: 1 });
    expect(fleet('CORE')).toMatchObject({ 'TargetOnDemandCapacity.$': '$.plan.cluster.coreUnits' });
    expect(fleet('TASK')).toMatchObject({ 'TargetSpotCapacity.$': '$.plan.cluster.taskUnits' });
    for (const type of ['MASTER', 'CORE']) {
      expect(JSON.stringify(fleet(type))).not.toContain('Spot');
    }
  });

  test('take on-demand instances where the spot market has none', () => {
    expect(fleet('TASK')?.LaunchSpecifications).toMatchObject({
      SpotSpecification: {
        TimeoutAction: 'SWITCH_TO_ON_DEMAND',
        AllocationStrategy: 'price-capacity-optimized',
      },
    });
    expect(fleet('TASK')?.InstanceTypeConfigs.length).toBeGreaterThanOrEqual(4);
  });

  test.each(['MASTER', 'CORE', 'TASK'])(
    'of type %s are Graviton, one unit each, with a price and an encrypted kind of disk',
    (type) => {
      for (const { InstanceType, WeightedCapacity, EbsConfiguration } of fleet(type)?.InstanceTypeConfigs ??
        []) {
        expect(InstanceType).toMatch(/^[a-z]\dg\.xlarge$/);
        expect(instanceUsdPerHour(InstanceType, 'eu-central-1')).toBeGreaterThan(0);
        expect(WeightedCapacity).toBe(1);
        expect(EbsConfiguration).toMatchObject({
          EbsBlockDeviceConfigs: [{ VolumeSpecification: { VolumeType: 'gp3' } }],
        });
      }
    },
  );
});

describe('its software', () => {
  test('has Iceberg over the Glue catalog', () => {
    expect(properties('iceberg-defaults')).toEqual({ 'iceberg.enabled': 'true' });
    expect(properties('spark-defaults')).toMatchObject({
      'spark.sql.catalog.lake.type': 'glue',
      'spark.sql.catalog.lake.warehouse': expect.stringMatching(/^s3:\/\/.+\/warehouse$/),
    });
  });

  test('keeps executors fixed, as XGBoost needs them, one a unit', () => {
    expect(properties('spark-defaults')).toMatchObject({
      'spark.dynamicAllocation.enabled': 'false',
      'spark.speculation': 'false',
      'spark.executor.instances.$': "States.Format('{}', $.plan.cluster.executors)",
      'spark.executor.cores': '4',
    });
  });

  test('encrypts what Spark sends and spills', () => {
    expect(properties('spark-defaults')).toMatchObject({
      'spark.authenticate': 'true',
      'spark.network.crypto.enabled': 'true',
      'spark.io.encryption.enabled': 'true',
    });
  });

  test('runs the Python that the packages are built for, where the bootstrap action puts them', () => {
    const environment = JSON.stringify(
      configurations.find(({ Classification }) => Classification === 'spark-env'),
    );
    expect(environment).toContain('"PYSPARK_PYTHON":"/usr/bin/python3.11"');
    expect(parameters).toMatchObject({
      BootstrapActions: [
        {
          ScriptBootstrapAction: {
            Path: expect.stringMatching(/\.sh$/),
            Args: [expect.stringMatching(/\.zip$/), '/opt/churn/python'],
          },
        },
      ],
    });
    expect(environment).toContain('"PYTHONPATH":"/opt/churn/python"');
    expect(properties('spark-defaults')['spark.executorEnv.PYTHONPATH']).toBe('/opt/churn/python');
  });
});
