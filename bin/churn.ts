/** The command line: `churn <command>`. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { UserError } from '../domain/user-error.ts';
import { UsageError } from './commands/arguments.ts';
import { backtestCommand } from './commands/backtest/command.ts';
import { completionCommand } from './commands/completion.ts';
import { doctorCommand } from './commands/deployed/doctor.ts';
import { listCommand } from './commands/deployed/list.ts';
import { startCommand } from './commands/deployed/start.ts';
import { stopCommand } from './commands/deployed/stop.ts';
import { watchCommand } from './commands/deployed/watch.ts';
import { examplesText } from './commands/examples.ts';
import { exploreCommand } from './commands/explore.ts';
import { forgetCommand } from './commands/forget.ts';
import { generateCommand } from './commands/generate.ts';
import { modelsCommand } from './commands/models/models.ts';
import { promoteCommand, rollbackCommand } from './commands/models/promote.ts';
import { scoreCommand } from './commands/models/score.ts';
import { applyProfile, PROFILE_HELP, readProfile } from './commands/profile.ts';
import { queryCommand } from './commands/query.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';

/** Exit codes: 0 success; 1 failure; 2 wrong usage; 130 interrupted. */
const FAILED = 1;
const WRONG_USAGE = 2;

const packageSchema = z.object({ version: z.string() });

/** Where the version is defined. */
const { version } = packageSchema.parse(
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')),
);

const program = new Command('churn')
  .description(
    'Predicts which users will cancel their music subscription, from the event log of the service.',
  )
  .version(version, '-v, --version', 'print the version')
  .showHelpAfterError('(add --help to list commands and options)')
  .exitOverride()
  .addCommand(runCommand())
  .addCommand(generateCommand())
  .addCommand(reportCommand())
  .addCommand(exploreCommand())
  .addCommand(modelsCommand())
  .addCommand(promoteCommand())
  .addCommand(rollbackCommand())
  .addCommand(scoreCommand())
  .addCommand(backtestCommand())
  .addCommand(queryCommand())
  .addCommand(forgetCommand())
  .addCommand(startCommand())
  .addCommand(watchCommand())
  .addCommand(listCommand())
  .addCommand(stopCommand())
  .addCommand(doctorCommand());
program.addCommand(completionCommand(program)).addHelpText('after', PROFILE_HELP);
for (const command of program.commands) {
  command.exitOverride().showHelpAfterError('(add --help to list the options)');
  const examples = examplesText(command.name());
  if (examples !== undefined) command.addHelpText('after', examples);
}

// A reader such as `head` that closes the pipe has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  // A profile that is damaged must not hide the help.
  const profile = asksForHelp(process.argv) ? undefined : readProfile(process.env, process.cwd());
  if (profile !== undefined) applyProfile(program, profile);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Showing help on request is not an error.
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE;
  } else {
    console.error(error instanceof Error ? messageFor(error) : String(error));
    process.exitCode = error instanceof UsageError ? WRONG_USAGE : FAILED;
  }
}

/** An error that users can act on says what to do; any other error is a bug in this program and is shown with its stack. */
function messageFor(error: Error): string {
  return error instanceof UserError ? error.message : (error.stack ?? error.message);
}

function asksForHelp(given: readonly string[]): boolean {
  return given.some((argument) => ['--help', '-h', 'help', '--version', '-v'].includes(argument));
}
