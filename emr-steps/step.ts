/** What a Spark step is. From one definition come its script, its permissions, its state and its docs. */
import type { z } from 'zod';
import type { Table } from '../domain/lake.ts';
import type { StepName } from '../domain/run.ts';
import { prelude } from './prelude.ts';
import { type Python, python } from './python.ts';

export interface StepDefinition<Result> {
  readonly name: StepName;
  /** One line that says what the step does. */
  readonly summary: string;
  /** Tables it reads and writes, besides what `readsEventFiles` says. */
  readonly reads: readonly Pick<Table, 'name'>[];
  readonly writes: readonly Pick<Table, 'name'>[];
  readonly readsEventFiles?: boolean;
  /** Shape of the result that it writes. */
  readonly result: z.ZodType<Result>;
  /** Imports beyond those of the prelude, as ruff sorts them: standard library, then third party. */
  readonly imports?: { readonly standard?: readonly string[]; readonly thirdParty?: readonly string[] };
  /** Constants and functions, among them `def run(spark: SparkSession, plan: dict) -> dict`. */
  readonly body: Python;
}

export interface Step<Result> extends StepDefinition<Result> {
  /** File name of its script. */
  readonly scriptName: string;
  /** The whole script. */
  readonly script: string;
}

/** Completes a definition with its script. */
export function defineStep<Result>(definition: StepDefinition<Result>): Step<Result> {
  const script = python`
    ${prelude(definition)}


    ${definition.body}


    if __name__ == "__main__":
        main()
  `;
  return { ...definition, scriptName: `${definition.name}.py`, script: `${script.source}\n` };
}
