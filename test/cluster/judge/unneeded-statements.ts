/** Statements that no call of the rehearsed run needs, each with the reason for which the app has it. */
import type { Unneeded } from './judge.ts';

/** Every role has it. */
const ALL_ROLES = '';

export const UNNEEDED_STATEMENTS: readonly Unneeded[] = [
  {
    role: ALL_ROLES,
    statement: 'logs:CreateLogStream',
    reason: 'the Lambda service and the network write their logs; CloudWatch Logs is not rehearsed',
  },
  {
    role: ALL_ROLES,
    statement: 'WriteTraces',
    reason: 'the Lambda service sends traces; X-Ray is not rehearsed',
  },
  {
    role: ALL_ROLES,
    statement: 'WriteLogsAndTraces',
    reason: 'Step Functions delivers its log and traces; neither is rehearsed',
  },
  {
    role: 'closerun',
    statement: 'SendDeadLetters',
    reason: 'the Lambda service sends calls that failed for good; asynchronous calls are not rehearsed',
  },
  {
    role: 'closerun',
    statement: 'TerminateClusters',
    reason: 'only the closing of a failed run terminates a cluster: the rehearsal of faults needs it',
  },
  {
    role: 'closerun',
    statement: 'StartNotifier',
    reason: 'only the closing of a failed run notifies: the rehearsal of faults needs it',
  },
  {
    role: 'closerun',
    statement: 'ReadSpotPrices',
    reason: 'only the closing of a failed run computes its cost',
  },
  {
    role: 'closerun',
    statement: 'DescribeExecutions',
    reason: 'only a sweep that finds a cluster or the lease of an ended run asks for its execution',
  },
  {
    role: 'closerun',
    statement: 'TagCampaigns',
    reason: 'only the list of a run that failed is made to expire at once',
  },
  {
    role: 'closerun',
    statement: 'RemoveExpiredRuns',
    reason: 'only what runs left that ended hundreds of runs ago is removed',
  },
  {
    role: 'storemetrics',
    statement: 'RemoveExpiredRuns',
    reason: 'only what runs left that ended hundreds of runs ago is removed',
  },
  {
    role: 'storemetrics',
    statement: 'TerminateClusters',
    reason: 'only a cluster that was created twice still runs then',
  },
  {
    role: 'starttraining',
    statement: 'DescribeExecutions',
    reason: 'only a start that finds the lease taken asks for its holder: the rehearsal of faults needs it',
  },
  {
    role: 'starttraining',
    statement: 'DescribeClusters',
    reason:
      'only a start that finds a cluster of an earlier run looks at it: the rehearsal of faults needs it',
  },
  {
    role: 'closerun',
    statement: 'DescribeClusters',
    reason: 'only a sweep that finds a cluster, and the closing of a failed run, look at it',
  },
  {
    role: 'StateMachineExecution',
    statement: 'CreateEmrCleanupRole',
    reason: 'the account has the role already; EMR creates it before the first cluster of an account',
  },
  {
    role: 'StateMachineExecution',
    statement: 'ManageEmrEventRules',
    reason: 'Step Functions learns by event rules that a step has ended; here the interpreter asks EMR',
  },
  {
    role: 'StateMachineExecution',
    statement: 'ReadDataCatalog',
    reason: 'Athena looks its catalog up; DuckDB in its place goes to Glue directly',
  },
  { role: 'ServiceRole', reason: 'EMR launches instances and encrypts their disks; neither is rehearsed' },
  { role: 'ScheduleRole', reason: 'the scheduler starts runs; here the test does' },
];
