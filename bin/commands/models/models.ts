/** `churn models`: which model is in charge, and how that came about. */
import { Command } from 'commander';
import { DEFAULT_LAKE, UsageError, wholeNumber } from '../arguments.ts';
import { withOptionalPipeline } from '../deployed/options.ts';
import { modelHistory } from './history.ts';
import { historyText } from './history-text.ts';
import { type LakeOptions, openWorld } from './open-world.ts';
import { verify } from './verify.ts';

interface ModelsOptions extends LakeOptions {
  readonly most: number;
  readonly verify?: string;
  readonly yes: boolean;
  readonly trainedAgain?: string;
  readonly json: boolean;
}

export function modelsCommand(): Command {
  const command = new Command('models')
    .description(
      'Show which model is in charge, and for each run what was chosen, by which rule and with which figures: on this ' +
        'machine or, with --stage, of a deployed pipeline.',
    )
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option('--most <number>', 'number of runs', wholeNumber(1, 1_000), 20)
    .option(
      '--verify <run>',
      'train the model of this run again from the snapshots that it read, and say what differs; the exit code is 1 if anything does; with --stage it says what that costs, and asks',
    )
    .option('--yes', 'with --verify and --stage: start the training without asking', false)
    .option(
      '--trained-again <run>',
      'with --verify and --stage: compare with what this run has trained again, and start none',
    )
    .option('--json', 'print one JSON document', false);
  return withOptionalPipeline(command).action(async (options: ModelsOptions) => {
    if (options.verify !== undefined) {
      await verify(options.verify, options);
      return;
    }
    if (options.yes || options.trainedAgain !== undefined)
      throw new UsageError('--yes and --trained-again are about a run to verify: name it with --verify.');
    const { lake } = await openWorld(options);
    const history = await modelHistory(lake, options.most);
    process.stdout.write(options.json ? `${JSON.stringify(history, undefined, 2)}\n` : historyText(history));
  });
}
