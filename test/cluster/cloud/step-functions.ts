/** An emulated Step Functions: knows the executions of the interpreted state machines, and starts the notifier. */
import { z } from 'zod';
import type { StateEvent } from '../../../local/interpreter/interpreter.ts';
import type { Json } from '../../../local/template/template.ts';
import { type EmulatedService, ServiceError } from './gateway.ts';

type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly startedAt: Date;
  status: Status;
  /** What has happened to its states, in order. */
  readonly events: StateEvent[];
}

export interface EmulatedStepFunctions {
  readonly service: EmulatedService;
  /** Adds an execution that the test itself interprets; its status is set as it goes on. */
  readonly begin: (machineArn: string, name: string) => Execution;
  /** Waits for the executions that StartExecution has started. */
  readonly settled: () => Promise<void>;
}

const startSchema = z.looseObject({ stateMachineArn: z.string(), name: z.string(), input: z.string() });
const describeSchema = z.looseObject({ executionArn: z.string() });
const listSchema = z.looseObject({ stateMachineArn: z.string(), statusFilter: z.string().optional() });

/** @param interpret runs an execution of a machine to its end, and says how it ended */
export function emulatedStepFunctions(
  interpret: (machineArn: string, name: string, input: Json) => Promise<Status>,
): EmulatedStepFunctions {
  const executions = new Map<string, Execution>();
  const started: Promise<void>[] = [];
  const begin = (machineArn: string, name: string): Execution => {
    const arn = `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    if (executions.has(arn))
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    const execution: Execution = { arn, name, startedAt: new Date(), status: 'RUNNING', events: [] };
    executions.set(arn, execution);
    return execution;
  };
  const found = (request: unknown): Execution => {
    const { executionArn } = describeSchema.parse(request);
    const execution = executions.get(executionArn);
    if (execution === undefined)
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    return execution;
  };
  const service: EmulatedService = async (operation, request) => {
    switch (operation) {
      case 'StartExecution': {
        const { stateMachineArn, name, input } = startSchema.parse(request);
        const execution = begin(stateMachineArn, name);
        started.push(
          interpret(stateMachineArn, name, JSON.parse(input)).then((status) => {
            execution.status = status;
          }),
        );
        return { executionArn: execution.arn, startDate: seconds(execution.startedAt) };
      }
      case 'DescribeExecution':
        return { ...described(found(request)) };
      case 'GetExecutionHistory':
        return { events: found(request).events.flatMap(historyEvent) };
      case 'ListExecutions': {
        const { stateMachineArn, statusFilter } = listSchema.parse(request);
        const prefix = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:`;
        const listed = [...executions.values()].filter(
          ({ arn, status }) =>
            arn.startsWith(prefix) && (statusFilter === undefined || status === statusFilter),
        );
        return { executions: listed.toReversed().map(described) };
      }
      default:
        throw new Error(`the emulated Step Functions does not know ${operation}`);
    }
  };
  return {
    service,
    begin,
    async settled() {
      await Promise.all(started);
    },
  };
}

function described({ arn, name, status, startedAt }: Execution): { readonly [key: string]: Json } {
  return { executionArn: arn, name, status, startDate: seconds(startedAt) };
}

/** Of what happens to a state only that it was entered or left; events are numbered from 1. */
function historyEvent({ kind, state, stateType, at }: StateEvent, index: number): Json[] {
  if (kind !== 'entered' && kind !== 'exited') return [];
  const [type, details] =
    kind === 'entered'
      ? [`${stateType}StateEntered`, { stateEnteredEventDetails: { name: state } }]
      : [`${stateType}StateExited`, { stateExitedEventDetails: { name: state } }];
  return [{ id: index + 1, previousEventId: index, type, timestamp: seconds(at), ...details }];
}

function seconds(time: Date): number {
  return time.getTime() / 1_000;
}
