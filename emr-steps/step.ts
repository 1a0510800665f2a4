/** A Spark step: from one definition come its script, the time-out of its state, and the shape of its result. */
import type { z } from 'zod';
import type { StepName } from '../domain/run.ts';
import { compose } from './composition/compose.ts';
import { type Fragment, fragment } from './composition/fragment.ts';
import { type Python, python, pythonLines } from './composition/python.ts';
import { main } from './fragments/main.ts';

export interface StepDefinition<Result> {
  readonly name: StepName;
  /** One line that says what the step does. */
  readonly summary: string;
  /** Shape of the result that it writes. */
  readonly result: z.ZodType<Result>;
  /** Fragments whose names it uses. */
  readonly uses: readonly Fragment[];
  /** Imports whose names it uses. */
  readonly imports?: readonly string[];
  readonly constants?: Python;
  /** Its functions, among them `def run(spark: SparkSession, plan: Plan)`, which returns the result. */
  readonly run: Python;
}

export interface Step<Result> extends Omit<StepDefinition<Result>, 'uses' | 'imports' | 'constants' | 'run'> {
  /** The step's own part of the script, which needs all others. */
  readonly part: Fragment;
  /** File name of its script. */
  readonly scriptName: string;
  /** The whole script. */
  readonly script: string;
}

/** Completes a definition with its script. */
export function defineStep<Result>(definition: StepDefinition<Result>): Step<Result> {
  const { uses, imports, constants, run, ...contract } = definition;
  const { name, summary } = contract;
  const named = python`STEP: StepName = ${name}`;
  const part = fragment({
    file: new URL(`./${name}.ts`, import.meta.url),
    needs: [main, ...uses],
    imports: ['from pyspark.sql import SparkSession', ...(imports ?? [])],
    constants: constants === undefined ? named : pythonLines([named, constants]),
    code: python`
      ${run}


      if __name__ == "__main__":
          main(STEP, run)
    `,
  });
  const docstring = [
    summary,
    '',
    `Generated from emr-steps/${name}.ts and the files named below by \`npm run generate\`: change it there. Run by`,
    `spark-submit ${name}.py --plan <uri of plan.json>`,
    '',
  ].join('\n');
  return { ...contract, part, scriptName: `${name}.py`, script: compose([part], docstring) };
}
