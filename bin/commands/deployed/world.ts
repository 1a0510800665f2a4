/** The command line's access to a deployed pipeline's lake, runs and clusters, with the user's own credentials. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ENVIRONMENT } from '../../../domain/operations.ts';
import { awsPorts } from '../../../lambda/aws/adapters.ts';
import { readDeployment } from '../../../lambda/run/deployment.ts';
import { worldOf } from '../../../lambda/run/world.ts';
import type { OpenLake } from '../models/open-lake.ts';
import { askAthena } from './ask-athena.ts';
import { openPipeline } from './deployed-pipeline.ts';
import { plannerEnvironment } from './doctor/facts.ts';
import { withRemedy } from './errors.ts';
import { requireLake } from './lake.ts';
import { executionArnOf, regionOf, stateMachineNameOf } from './names.ts';
import type { PipelineOptions } from './options.ts';

/** @throws DeployedError if there is no such pipeline, or it has had no run */
export async function openDeployedWorld(options: PipelineOptions): Promise<OpenLake> {
  const pipeline = await openPipeline(options, process.env);
  const { stateMachineArn } = pipeline;
  const region = regionOf(stateMachineArn);
  const name = stateMachineNameOf(stateMachineArn);
  try {
    const variables = await plannerEnvironment(name, new LambdaClient({ region }));
    const environment = { ...variables, [ENVIRONMENT.region]: region };
    const log = { warn: (message: string) => console.error(message) };
    const world = worldOf(awsPorts(environment, log), readDeployment(environment));
    await requireLake(world.lake);
    return {
      lake: world.lake,
      clock: world.clock,
      executions: world.executions,
      clusters: world.clusters,
      executionArnOf: (run) => executionArnOf(stateMachineArn, run),
      query: (sql) => askAthena(pipeline, sql),
    };
  } catch (error) {
    throw withRemedy(error);
  }
}
