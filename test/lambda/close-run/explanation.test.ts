import { beforeAll, describe, expect, it } from 'vitest';
import { STEP_NAMES } from '../../../domain/run.ts';
import type { Evidence } from '../../../lambda/close-run/evidence.ts';
import { explain } from '../../../lambda/close-run/explanation.ts';
import type { ClusterDescription } from '../../../lambda/ports/clusters.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { EVENTS, plan, planOf } from '../../support/run-fixture.ts';

const CLUSTER: ClusterDescription = {
  clusterId: 'j-1',
  state: 'TERMINATED',
  stateChangeReason: null,
  failedStep: null,
  instances: [],
};
const NOTHING: Evidence = {
  plan: undefined,
  ingest: undefined,
  finished: [],
  stepErrors: [],
  training: undefined,
  hasChoice: false,
  clusters: [],
};

const where = (evidence: Evidence): string => explain(evidence, { error: undefined, cause: undefined }).where;

describe('an explanation without an error of its own names the state', () => {
  let planned = NOTHING;

  beforeAll(async () => {
    const ports = new MemoryPorts();
    ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events', 500_000);
    await plan(ports, 'run-1');
    planned = { ...NOTHING, plan: planOf(ports, 'run-1') };
  });

  it('PlanRun when there is no plan', () => {
    expect(where(NOTHING)).toBe('PlanRun');
  });

  it('CreateCluster when there is a plan and nothing else', () => {
    expect(where(planned)).toBe('CreateCluster');
  });

  it.each([
    [0, 'IngestEvents', false],
    [1, 'BuildFeatures', false],
    [2, 'DecideTraining', false],
    [3, 'ChooseModel', false],
    [3, 'ScoreUsers', true],
    [4, 'TerminateCluster, ReconcileLake or StoreMetrics', true],
  ])('when %i steps have a result: %s (a model was chosen: %s)', (steps, state, hasChoice) => {
    const finished = STEP_NAMES.slice(0, steps);
    const training = steps > 2 ? 'train' : undefined;
    expect(where({ ...planned, clusters: [CLUSTER], finished, training, hasChoice })).toBe(state);
  });

  it('that follows the decision whether to train', () => {
    const finished = STEP_NAMES.slice(0, 2);
    const decided = { ...planned, clusters: [CLUSTER], finished };
    expect(where({ ...decided, training: 'train' })).toBe('TrainModels');
    expect(where({ ...decided, training: 'skip' })).toBe('ChooseModel');
    expect(where({ ...decided, training: 'skip', hasChoice: true })).toBe('ScoreUsers');
  });

  it('of the next step when a step has a result and EMR no longer lists the cluster', () => {
    expect(where({ ...planned, finished: ['ingest-events'] })).toBe('BuildFeatures');
  });
});

describe('a message of AWS that names the wrong cause', () => {
  const broken = (stateChangeReason: string): Evidence => ({
    ...NOTHING,
    clusters: [{ ...CLUSTER, state: 'TERMINATED_WITH_ERRORS', stateChangeReason }],
  });

  it.each([
    [
      'Service role EmrServiceRole-X has insufficient EC2 permissions',
      /for-use-with-amazon-emr-managed-policies = true: a subnet or a security group/,
      /tag the VPC, the subnets .*churn doctor.*resume the run/s,
    ],
    [
      'The task fleet could not be provisioned: Client.InternalError: Client error on launch',
      /KMS key of a volume.*AWSServiceRoleForEC2Spot/,
      /create-service-linked-role --aws-service-name spot\.amazonaws\.com.*aws kms create-grant/,
    ],
    [
      "Service-linked role 'AWSServiceRoleForEMRCleanup' for EMR is required.",
      /before the first cluster/,
      /--aws-service-name elasticmapreduce\.amazonaws\.com/,
    ],
    [
      'AuthFailure.ServiceLinkedRoleCreationNotPermitted: The provided credentials do not have permission',
      /AWSServiceRoleForEC2Spot/,
      /--aws-service-name spot\.amazonaws\.com/,
    ],
    [
      'VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 5',
      /quota of EC2 does not allow/,
      /churn doctor/,
    ],
  ])('%s: keeps the message, and says what is behind it', (message, why, whatToDo) => {
    const byCluster = explain(broken(message), { error: undefined, cause: undefined });
    const cause = JSON.stringify({ Cluster: { Status: { StateChangeReason: { Message: message } } } });
    const byCause = explain(NOTHING, { error: 'States.TaskFailed', cause });
    for (const explanation of [byCluster, byCause]) {
      expect(explanation.why).toContain(message);
      expect(explanation.why).toMatch(why);
      expect(explanation.whatToDo).toMatch(whatToDo);
    }
  });

  it('is not seen where there is none', () => {
    const { why, whatToDo } = explain(broken('Instance i-1 was terminated'), {
      error: undefined,
      cause: undefined,
    });
    expect(why).toBe('cluster j-1 ended with errors: Instance i-1 was terminated');
    expect(whatToDo).toMatch(/^fix what the reason names/);
  });
});
