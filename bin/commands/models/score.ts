/** `churn score`: the current scores, as text or as CSV. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { SCORES } from '../../../domain/lake.ts';
import { CURRENT } from '../../../domain/lake-objects.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { AnswerRow } from '../../../lambda/ports/sql.ts';
import { DEFAULT_LAKE, wholeNumber } from '../arguments.ts';
import { withOptionalPipeline } from '../deployed/options.ts';
import type { OpenLake } from './open-lake.ts';
import { type LakeOptions, openWorld } from './open-world.ts';
import { csvText, scoresText } from './score-text.ts';

/** Shown without --top and --csv. */
const SHOWN = 20;

interface ScoreOptions extends LakeOptions {
  readonly top?: number;
  readonly csv?: string;
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
    .option('--csv <file>', 'write a CSV file instead of showing them');
  return withOptionalPipeline(command).action(async (options: ScoreOptions) => {
    const world = await openWorld(options);
    const most = options.top ?? (options.csv === undefined ? SHOWN : undefined);
    const { runId, rows } = await currentScores(world, most);
    if (options.csv === undefined) {
      process.stdout.write(scoresText(runId, rows));
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
    'SELECT user_id, "rank", decile, probability, level, in_control_group, cutoff, run_id ' +
    `FROM ${SCORES.name} WHERE run_id = '${runId.replaceAll("'", "''")}' ORDER BY "rank", user_id${limit}`
  );
}
