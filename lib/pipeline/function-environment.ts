/** The environment variables of the Lambdas. */
import { ENVIRONMENT, type Fleets } from '../../domain/operations.ts';
import { arnOf } from '../arns.ts';
import type { ClusterProfile } from '../compute/cluster-profile.ts';
import type { Configuration } from '../configuration.ts';
import type { Storage } from '../storage/storage-stack.ts';

export interface FunctionEnvironmentProps {
  readonly configuration: Pick<Configuration, 'prefix' | 'run'>;
  readonly storage: Pick<Storage, 'lakeRoot' | 'eventsRoot' | 'databaseName'>;
  readonly cluster: Pick<
    ClusterProfile,
    'primaryInstanceTypes' | 'coreInstanceTypes' | 'taskInstanceTypes' | 'subnetIds'
  >;
  /** Names what the steps are executed with. */
  readonly release: string;
  /** Names what training is executed with. */
  readonly trainingRelease: string;
  readonly notifierArn: string;
}

/** The state machine's name is fixed, so that the Lambdas it calls can be given its ARN without a circle. */
export function functionEnvironment(props: FunctionEnvironmentProps): Readonly<Record<string, string>> {
  const { configuration, storage, cluster, release, trainingRelease, notifierArn } = props;
  return {
    [ENVIRONMENT.lakeRoot]: storage.lakeRoot,
    [ENVIRONMENT.database]: storage.databaseName,
    [ENVIRONMENT.eventsRoot]: storage.eventsRoot,
    [ENVIRONMENT.release]: release,
    [ENVIRONMENT.trainingRelease]: trainingRelease,
    [ENVIRONMENT.runSettings]: JSON.stringify(configuration.run),
    [ENVIRONMENT.notifierArn]: notifierArn,
    [ENVIRONMENT.stateMachineArn]: arnOf('states', `stateMachine:${configuration.prefix}`),
    [ENVIRONMENT.pipelineName]: configuration.prefix,
    [ENVIRONMENT.fleets]: JSON.stringify({
      primary: cluster.primaryInstanceTypes,
      core: cluster.coreInstanceTypes,
      task: cluster.taskInstanceTypes,
    } satisfies Fleets),
    [ENVIRONMENT.subnetIds]: cluster.subnetIds.join(','),
  };
}
