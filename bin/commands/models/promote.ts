/** `churn promote` and `churn rollback`: a person puts the model of a run in charge. */
import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { DecisionByPerson } from '../../../domain/choice.ts';
import { putInCharge } from '../../../lambda/run/in-charge.ts';
import { DEFAULT_LAKE } from '../arguments.ts';
import { namesPipeline, withOptionalPipeline } from '../deployed/options.ts';
import { type LakeOptions, openWorld } from './open-world.ts';

interface DecisionOptions extends LakeOptions {
  readonly by: string;
  readonly why: string;
  readonly json: boolean;
}

export function promoteCommand(): Command {
  return decisionCommand(
    'promote',
    'Put the model of a run in charge, and let later models be promoted automatically again, unless the setting ' +
      'says otherwise.',
  ).option('--why <text>', 'why, for the history', 'no reason given');
}

export function rollbackCommand(): Command {
  return decisionCommand(
    'rollback',
    'Put the model of an earlier run in charge again. Promotion is manual from then on, until `churn promote`.',
  ).requiredOption('--why <text>', 'why, for the history');
}

function decisionCommand(action: DecisionByPerson['action'], description: string): Command {
  const command = new Command(action)
    .description(`${description} The next run scores with it, even if there are no new files.`)
    .argument('<run>', 'id of the run that trained the model (churn models lists them)')
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option('--by <name>', 'who decides, for the history', userInfo().username)
    .option('--json', 'print one JSON document', false);
  return withOptionalPipeline(command).action(async (runId: string, options: DecisionOptions) => {
    const world = await openWorld(options);
    const { by, why } = options;
    const { executionArnOf } = world;
    const decision = await putInCharge(world, { action, runId, by, why, executionArnOf });
    process.stdout.write(
      options.json
        ? `${JSON.stringify(decision, undefined, 2)}\n`
        : decisionText(decision, namesPipeline(options)),
    );
  });
}

/** What was done, and what happens next. */
export function decisionText({ action, runId, before }: DecisionByPerson, isDeployed: boolean): string {
  const predecessor = before === null || before === runId ? '' : ` instead of that of run ${before}`;
  const start = isDeployed ? 'churn start' : 'churn run';
  return [
    `The model of run ${runId} is in charge${predecessor}.`,
    ...(action === 'rollback' ? ['Later models wait until `churn promote <run>` puts one in charge.'] : []),
    `The current scores are made again by the next run: \`${start}\`, or the schedule.`,
    '',
  ].join('\n');
}
