/** `churn query`: SQL on the lake, locally by DuckDB, in a deployed pipeline by Athena. */
import { Command, Option } from 'commander';
import { NAMED_QUERIES } from '../../domain/named-queries.ts';
import { UserError } from '../../domain/user-error.ts';
import { DuckDbEngine } from '../../local/adapters/duckdb-engine.ts';
import { openExistingLake } from '../../local/run/lake-folder.ts';
import { ANSWER_FORMATS, type AnswerFormat, answerText } from '../terminal/answer-text.ts';
import { ProgressLine } from '../terminal/pace.ts';
import { DEFAULT_LAKE, UsageError } from './arguments.ts';
import { namesPipeline, type PipelineOptions, withOptionalPipeline } from './deployed/options.ts';

/** A statement that the lake cannot answer. */
class QueryError extends UserError {
  override readonly name = 'QueryError';
}

interface QueryOptions extends Partial<PipelineOptions> {
  readonly lake: string;
  readonly format: AnswerFormat;
  readonly json: boolean;
  readonly list: boolean;
  readonly parameter: readonly string[];
}

export function queryCommand(): Command {
  const command = new Command('query')
    .description(
      'Ask the lake in SQL: by DuckDB on this machine or, with --stage, by Athena. A saved query is asked by its name.',
    )
    .argument('[sql]', 'a statement, or the name of a saved query')
    .option('--lake <folder>', 'folder of the lake', DEFAULT_LAKE)
    .option('--list', 'list the saved queries', false)
    .option('--parameter <value>', 'value of a ? in the statement; repeat it for several', gathered, [])
    .addOption(
      new Option('--format <format>', 'how to print the rows').choices([...ANSWER_FORMATS]).default('table'),
    )
    .option('--json', 'the same as --format json', false);
  return withOptionalPipeline(command).action(async (sql: string | undefined, options: QueryOptions) => {
    const format = options.json ? 'json' : options.format;
    if (options.list || sql === undefined) {
      process.stdout.write(
        answerText(
          NAMED_QUERIES.map(({ name, description }) => ({ name, description })),
          format,
        ),
      );
      if (sql === undefined && !options.list)
        process.stderr.write('Name one of these, or pass a statement.\n');
      return;
    }
    const statement = statementOf(sql, options.parameter);
    const rows = await new ProgressLine(process.stderr).during('Asking the lake', () =>
      namesPipeline(options) ? deployedRows(options, statement) : localRows(options.lake, statement),
    );
    process.stdout.write(answerText(rows, format));
  });
}

/**
 * The statement to ask: a saved query by its name, or the text itself, with its parameters as literals.
 * @throws UsageError for an unknown name, or when values and question marks do not correspond
 */
export function statementOf(text: string, parameters: readonly string[]): string {
  const saved = NAMED_QUERIES.find(({ name }) => name === text.trim());
  if (saved === undefined && /^[\w-]+$/.test(text.trim())) {
    throw new UsageError(`There is no saved query ${text.trim()}: churn query --list shows them.`);
  }
  const parts = (saved?.sql ?? text).split('?');
  if (parameters.length === 0 && saved === undefined) return text;
  if (parts.length - 1 !== parameters.length) {
    throw new UsageError(
      `The statement has ${parts.length - 1} question mark(s), but ${parameters.length} value(s) were given: pass each with --parameter.`,
    );
  }
  return parts.map((part, index) => `${part}${literal(parameters[index])}`).join('');
}

function literal(value: string | undefined): string {
  return value === undefined ? '' : `'${value.replaceAll("'", "''")}'`;
}

function gathered(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** @throws QueryError when DuckDB refuses the statement */
async function localRows(folder: string, statement: string) {
  const lake = await duckDbLake(folder);
  try {
    return await new DuckDbEngine(lake).ask(statement);
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new QueryError(
      `The lake in ${lake.folder} could not answer: ${why}\n` +
        'Correct the statement; docs/reference/data-dictionary.md lists the tables and their columns.',
    );
  }
}

async function duckDbLake(folder: string) {
  const lake = await openExistingLake(folder);
  return { folder: lake.path, queriesFolder: lake.queries };
}

async function deployedRows(options: PipelineOptions, statement: string) {
  const [{ openPipeline }, { askAthena }] = await Promise.all([
    import('./deployed/deployed-pipeline.ts'),
    import('./deployed/ask-athena.ts'),
  ]);
  return askAthena(await openPipeline(options, process.env), statement);
}
