/** The notifier that would be deployed, while SNS refuses messages, or takes them and is not heard. */
import { describe, expect, it } from 'vitest';
import { type Message, sns } from '../../local/handlers/sns.ts';
import { type Ending, startExecution } from '../../local/interpreter/interpreter.ts';
import { TaskError } from '../../local/interpreter/task.ts';
import { deployed } from '../support/fault-world.ts';

const RUN = 'run-1';
const NOTICE = { subject: 'Churn model: run failed in TrainModels', text: 'the disk is full' };

/** @param around what becomes of the call of that number, from 1 */
async function tell(
  around: (attempt: number, publish: () => Promise<void>) => Promise<void>,
): Promise<{ readonly ending: Ending; readonly published: readonly Message[] }> {
  const published: Message[] = [];
  let attempts = 0;
  const handlers = sns((message) => {
    attempts += 1;
    return around(attempts, async () => {
      published.push(message);
    });
  });
  const { arn, name, states } = deployed.notifier;
  const execution = startExecution({
    definition: states,
    input: NOTICE,
    execution: { arn: `${arn}:${RUN}`, name: RUN },
    stateMachine: { arn, name },
    handlers,
  });
  return { ending: await execution.ended, published };
}

describe('the notifier', () => {
  it('publishes what it is given, and says of which run it is', async () => {
    const { ending, published } = await tell((_, publish) => publish());
    expect(ending.status).toBe('SUCCEEDED');
    expect(published).toEqual([{ ...NOTICE, attributes: { runId: RUN } }]);
  });

  it.each([
    'SNS.ThrottledException',
    'SNS.KMSThrottlingException',
    'SNS.InternalErrorException',
    'SNS.AmazonSNSException',
  ])('tries again what SNS has refused (%s)', async (error) => {
    const { ending, published } = await tell((attempt, publish) =>
      attempt <= 3 ? Promise.reject(new TaskError(error, 'later')) : publish(),
    );
    expect(ending.status).toBe('SUCCEEDED');
    expect(published).toHaveLength(1);
  });

  it.each(['SNS.SdkClientException', 'States.TaskFailed', 'States.Timeout', 'SNS.KMSAccessDeniedException'])(
    'sends nothing twice that may have been taken, and fails for the alarm to see (%s)',
    async (error) => {
      const { ending, published } = await tell(async (_, publish) => {
        await publish();
        throw new TaskError(error, 'nobody heard the answer');
      });
      expect(ending.status).toBe('FAILED');
      expect(published).toHaveLength(1);
    },
  );

  it('fails where SNS refuses for good', async () => {
    const { ending, published } = await tell(() =>
      Promise.reject(new TaskError('SNS.ThrottledException', 'never')),
    );
    expect(ending).toMatchObject({ status: 'FAILED', error: 'SNS.ThrottledException' });
    expect(published).toEqual([]);
  });
});
