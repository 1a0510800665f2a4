/** `churn score`: the current scores, as text or as CSV. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { SCORES } from '../../../domain/lake.ts';
import { CURRENT } from '../../../domain/lake-objects.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { AnswerRow } from '../../../lambda/ports/sql.ts';
import { DEFAULT_LAKE, UsageError, wholeNumber } from '../arguments.ts';
import { withOptionalPipeline } from '../deployed/options.ts';
import type { OpenLake } from './open-lake.ts';
import { type LakeOptions, openWorld } from './open-world.ts';
import { csvText, scoresJson, scoresText } from './score-text.ts';
import { userScore } from './user-score.ts';
import { userScoreText } from './user-score-text.ts';

/** Shown without --top and --csv. */
const SHOWN = 20;

interface ScoreOptions extends LakeOptions {
  readonly top?: number;
  readonly csv?: string;
  readonly user?: string;
  readonly json: boolean;
}

export function scoreCommand(): Command {
  const command = new Command('score')
    .description(
      'Show the current scores, the users most at risk first: on this machine or, with --stage, of a deployed pipeline. ' +
        'The output contains user ids: treat it as personal data.',
    )
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option(
      '--top <number>',
      `only the users most at risk (default: ${SHOWN} on the screen, all in a file)`,
      wholeNumber(1, 100_000_000),
    )
    .option('--csv <file>', 'write a CSV file instead of showing them')
    .option(
      '--user <id>',
      'only one user: the reasons or, for a user without, the values beside those that are typical',
    )
    .option('--json', 'print one JSON document', false);
  return withOptionalPipeline(command).action(async (options: ScoreOptions) => {
    const only = [options.top, options.csv].filter((option) => option !== undefined);
    if (options.user !== undefined && only.length > 0)
      throw new UsageError('--user shows one user: leave out --top and --csv.');
    if (options.csv !== undefined && options.json) throw new UsageError('Choose between --csv and --json.');
    const world = await openWorld(options);
    if (options.user !== undefined) {
      const score = await userScore(world, options.user);
      process.stdout.write(options.json ? `${JSON.stringify(score, undefined, 2)}\n` : userScoreText(score));
      return;
    }
    const most = options.top ?? (options.csv === undefined ? SHOWN : undefined);
    const { runId, rows } = await currentScores(world, most);
    if (options.csv === undefined) {
      process.stdout.write(options.json ? scoresJson(runId, rows) : scoresText(runId, rows));
    } else {
      await writeFile(options.csv, csvText(rows), { mode: 0o600 });
      console.log(`Wrote the scores of ${rows.length} users (run ${runId}) to ${options.csv}.`);
    }
  });
}

/** @throws UserError when no run has succeeded */
async function currentScores(
  { lake, query }: Pick<OpenLake, 'lake' | 'query'>,
  most: number | undefined,
): Promise<{ readonly runId: string; readonly rows: readonly AnswerRow[] }> {
  const current = await lake.find(CURRENT);
  if (current === undefined) throw new UserError(`No run of the lake ${lake.root} has succeeded yet.`);
  const { runId } = current.value;
  return { runId, rows: await query(scoresQuery(runId, most)) };
}

/** In the SQL that Athena and DuckDB share. Without a model in charge there are no ranks. */
export function scoresQuery(runId: string, most: number | undefined): string {
  const limit = most === undefined ? '' : ` LIMIT ${most}`;
  return (
    // All columns: a lake that no run of this version has written to lacks the newest.
    `SELECT * FROM ${SCORES.name} WHERE run_id = '${runId.replaceAll("'", "''")}' ORDER BY "rank", user_id${limit}`
  );
}
