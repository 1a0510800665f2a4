/** The notifier that would be deployed, when SNS rejects messages, or accepts them and its answer is lost. */
import { describe, expect, it } from 'vitest';
import { type Message, sns } from '../../local/handlers/sns.ts';
import { type Ending, startExecution } from '../../local/interpreter/interpreter.ts';
import { TaskError } from '../../local/interpreter/task.ts';
import { deployed } from '../support/fault-world.ts';

const RUN = 'run-1';
const NOTICE = { subject: 'Churn model: run failed in TrainModels', text: 'the disk is full' };

/** @param around handles the call with that number, counted from 1 */
async function notify(
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

// Side by side, for it waits between attempts.
describe.concurrent('the notifier', () => {
  it('publishes its input with the id of the run', async () => {
    const { ending, published } = await notify((_, publish) => publish());
    expect(ending.status).toBe('SUCCEEDED');
    expect(published).toEqual([{ ...NOTICE, attributes: { runId: RUN } }]);
  });

  it.each([
    'SNS.ThrottledException',
    'SNS.KMSThrottlingException',
    'SNS.InternalErrorException',
    'SNS.AmazonSNSException',
  ])('retries a message that SNS has rejected (%s)', async (error) => {
    const { ending, published } = await notify((attempt, publish) =>
      attempt <= 3 ? Promise.reject(new TaskError(error, 'later')) : publish(),
    );
    expect(ending.status).toBe('SUCCEEDED');
    expect(published).toHaveLength(1);
  });

  it.each(['SNS.SdkClientException', 'States.TaskFailed', 'States.Timeout', 'SNS.KMSAccessDeniedException'])(
    'does not resend a message that SNS may have accepted, and fails so that the alarm is raised (%s)',
    async (error) => {
      const { ending, published } = await notify(async (_, publish) => {
        await publish();
        throw new TaskError(error, 'the answer was lost');
      });
      expect(ending.status).toBe('FAILED');
      expect(published).toHaveLength(1);
    },
  );

  it('fails when SNS keeps rejecting the message', async () => {
    const { ending, published } = await notify(() =>
      Promise.reject(new TaskError('SNS.ThrottledException', 'never')),
    );
    expect(ending).toMatchObject({ status: 'FAILED', error: 'SNS.ThrottledException' });
    expect(published).toEqual([]);
  });
});
