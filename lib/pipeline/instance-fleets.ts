/** The fleets of a cluster: one primary and the core on demand, the task fleet on spot over several types. */
import { Duration, Size } from 'aws-cdk-lib';
import { JsonPath } from 'aws-cdk-lib/aws-stepfunctions';
import { EmrCreateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { ClusterProfile } from '../compute/cluster-profile.ts';

const { InstanceRoleType, OnDemandAllocationStrategy, SpotAllocationStrategy, SpotTimeoutAction } =
  EmrCreateCluster;
type Fleet = EmrCreateCluster.InstanceFleetConfigProperty;

const ON_DEMAND = { onDemandSpecification: { allocationStrategy: OnDemandAllocationStrategy.LOWEST_PRICE } };

/** Fleets whose core and task targets are the plan's units; one instance is one unit. */
export function instanceFleets(cluster: ClusterProfile): Fleet[] {
  const types = (names: readonly string[]): EmrCreateCluster.InstanceTypeConfigProperty[] =>
    names.map((instanceType) => ({
      instanceType,
      weightedCapacity: 1,
      ebsConfiguration: {
        ebsBlockDeviceConfigs: [
          {
            volumeSpecification: {
              volumeType: EmrCreateCluster.EbsBlockDeviceVolumeType.GP3,
              volumeSize: Size.gibibytes(cluster.volumeGiB),
            },
            volumesPerInstance: 1,
          },
        ],
      },
    }));
  return [
    {
      name: 'primary',
      instanceFleetType: InstanceRoleType.MASTER,
      targetOnDemandCapacity: 1,
      instanceTypeConfigs: types(cluster.primaryInstanceTypes),
      launchSpecifications: ON_DEMAND,
    },
    {
      name: 'core',
      instanceFleetType: InstanceRoleType.CORE,
      targetOnDemandCapacity: JsonPath.numberAt('$.plan.cluster.coreUnits'),
      instanceTypeConfigs: types(cluster.coreInstanceTypes),
      launchSpecifications: ON_DEMAND,
    },
    {
      name: 'task',
      instanceFleetType: InstanceRoleType.TASK,
      targetSpotCapacity: JsonPath.numberAt('$.plan.cluster.taskUnits'),
      instanceTypeConfigs: types(cluster.taskInstanceTypes),
      launchSpecifications: {
        ...ON_DEMAND,
        spotSpecification: {
          allocationStrategy: SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
          timeoutAction: SpotTimeoutAction.SWITCH_TO_ON_DEMAND,
          timeout: Duration.minutes(cluster.spotTimeoutMinutes),
        },
      },
    },
  ];
}
