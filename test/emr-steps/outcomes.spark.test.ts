/** What came true of earlier runs, and scores that have had their time: real Spark on tables of an Iceberg catalog made by hand. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { OUTCOME_ROWS, PLAN, RUN_RECORD } from '../../domain/lake-objects.ts';
import { type RunOutcome, runOutcomeSchema } from '../../domain/results.ts';
import { python } from '../../emr-steps/composition/python.ts';
import { expiredScores } from '../../emr-steps/fragments/expired-scores.ts';
import { files } from '../../emr-steps/fragments/files.ts';
import { outcomes } from '../../emr-steps/fragments/outcomes.ts';
import { tableName } from '../../emr-steps/fragments/table-name.ts';
import { planTypes } from '../../emr-steps/fragments/types.ts';
import { defineStep } from '../../emr-steps/step.ts';
import { resultOf, SparkBench, temporaryFolder, writePlan } from '../support/spark-lake.ts';

const HORIZON_DAYS = 14;
/** The log ends where the horizons of some runs do; two attempts, and an earlier end. */
const ENDS = ['2018-11-20', '2018-11-20', '2018-11-14'] as const;

/** Runs that have had their time, as the last plan names them: nothing is left of one, and one is the run itself. */
const EXPIRED = ['known', 'failed', 'long gone', `attempt-${ENDS.length}`];

/** Counts outcomes and drops scores as ScoreUsers does, with nothing around it. */
const counting = defineStep({
  name: 'score-users',
  summary: 'Counts what came true.',
  result: z.strictObject({ found: z.array(runOutcomeSchema), held: z.array(z.string()) }),
  uses: [planTypes, tableName, files, outcomes, expiredScores],
  imports: ['from pyspark.sql import SparkSession'],
  run: python`
    def run(spark: SparkSession, plan: Plan) -> dict[str, object]:
        """What came true, as of the end that the plan names, and whose scores are held then."""
        end = plan["training"]["observationEnd"]
        days = spark.table(table_name(plan, "user_days"))
        scores = table_name(plan, "scores")
        found = count_outcomes(spark, Files(spark), plan, scores, days, end)
        drop_expired_scores(spark, plan, scores)
        held = spark.table(scores).select("run_id").distinct().collect()
        return {"found": found, "held": sorted(row.run_id for row in held)}
  `,
});

type Score = readonly [
  run: string,
  user: string,
  cutoff: string,
  probability: number | null,
  decile: number | null,
];
const score = (
  [run, user, cutoff, probability, decile]: Score,
  end: string | null,
  control: boolean,
  worth: boolean | null,
) =>
  `('${run}', '${user}', DATE '${cutoff}', CAST(${probability} AS DOUBLE), ${decile}, ${end === null ? 'NULL' : `DATE '${end}'`}, ${control}, ${worth})`;

const SCORES = [
  // Known on 20 November to the day: those who cancel on the first and on the last day of the horizon count.
  score(['due', 'first day', '2018-11-06', 0.5, 1], '2018-11-20', false, true),
  score(['due', 'last day', '2018-11-06', 0.25, 1], '2018-11-20', false, true),
  score(['due', 'twice', '2018-11-06', 0.125, 1], '2018-11-20', true, true),
  score(['due', 'too late', '2018-11-06', 0.0625, 2], '2018-11-20', false, false),
  score(['due', 'before', '2018-11-06', 0.03125, 2], '2018-11-20', false, false),
  score(['due', 'stays', '2018-11-06', 0.03125, 2], '2018-11-20', false, false),
  // Of an older version: without the end of its horizon and without a list.
  score(['older', 'before', '2018-10-31', 0.5, 1], null, false, null),
  // Nobody was in charge of the first, and probabilities were withheld in the other.
  score(['nobody', 'before', '2018-10-31', 0.25, null], '2018-11-14', false, null),
  score(['withheld', 'before', '2018-10-31', null, 1], '2018-11-14', false, null),
  // Its horizon is a day too long, it has failed, its outcome is known, it has no record, and it is the run itself.
  score(['not due', 'first day', '2018-11-07', 0.5, 1], '2018-11-21', false, true),
  score(['failed', 'first day', '2018-11-06', 0.5, 1], '2018-11-20', false, true),
  score(['known', 'first day', '2018-11-06', 0.5, 1], '2018-11-20', false, true),
  score(['unrecorded', 'first day', '2018-11-06', 0.5, 1], '2018-11-20', false, true),
  score(['attempt-1', 'first day', '2018-11-06', 0.5, 1], '2018-11-20', false, true),
  score([`attempt-${ENDS.length}`, 'first day', '2018-11-06', 0.5, 1], '2018-11-20', false, true),
];
const DAYS = [
  ['first day', '2018-11-06', 1],
  ['last day', '2018-11-19', 1],
  ['twice', '2018-11-08', 1],
  ['twice', '2018-11-15', 2],
  ['too late', '2018-11-20', 1],
  ['before', '2018-11-05', 1],
  ['stays', '2018-11-10', 0],
].map(([user, day, cancellations]) => `('${user}', DATE '${day}', ${cancellations})`);

const BEFORE = [
  `CREATE TABLE lake.churn.scores (run_id STRING, user_id STRING, cutoff DATE, probability DOUBLE, decile INT,
    horizon_end DATE, in_control_group BOOLEAN, worth_contacting BOOLEAN) USING iceberg PARTITIONED BY (run_id)`,
  `INSERT INTO lake.churn.scores VALUES ${SCORES.join(', ')}`,
  'CREATE TABLE lake.churn.user_days (user_id STRING, day DATE, cancellations BIGINT) USING iceberg PARTITIONED BY (day)',
  `INSERT INTO lake.churn.user_days VALUES ${DAYS.join(', ')}`,
];

describe('what came true', () => {
  let folder: string;
  const found: RunOutcome[][] = [];
  const held: (readonly string[])[] = [];

  beforeAll(async () => {
    folder = await temporaryFolder();
    const lake = join(folder, 'lake');
    const plans = [];
    for (const [attempt, observationEnd] of ENDS.entries()) {
      const training = { observationEnd, horizonDays: HORIZON_DAYS };
      const expiredRuns = attempt === ENDS.length - 1 ? EXPIRED : [];
      plans.push(
        await writePlan(lake, { runId: `attempt-${attempt + 1}`, files: [], training, expiredRuns }),
      );
    }
    const write = async (key: string, text: string): Promise<void> => {
      await mkdir(dirname(join(lake, key)), { recursive: true });
      await writeFile(join(lake, key), text);
    };
    for (const run of ['due', 'older', 'nobody', 'withheld', 'not due', 'known', 'failed'])
      await write(
        RUN_RECORD.of(run).key,
        JSON.stringify({ status: run === 'failed' ? 'FAILED' : 'SUCCEEDED' }),
      );
    await write(OUTCOME_ROWS.of('known').key, '{}');
    await write(join(dirname(PLAN.of('attempt-1').key), 'before.sql'), BEFORE.join(';'));
    await new SparkBench(folder, counting).runAll(plans);
    for (const plan of plans) {
      const result = await resultOf(counting, plan);
      found.push(result.found);
      held.push(result.held);
    }
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is counted of every run that succeeded, whose horizon the log has passed, and of no other', () => {
    expect(found[0]?.map(({ runId, cutoff, horizonEnd }) => [runId, cutoff, horizonEnd])).toEqual([
      ['due', '2018-11-06', '2018-11-20'],
      ['nobody', '2018-10-31', '2018-11-14'],
      ['older', '2018-10-31', '2018-11-14'],
      ['withheld', '2018-10-31', '2018-11-14'],
    ]);
    expect(found[2]?.map(({ runId }) => runId)).toEqual(['nobody', 'older', 'withheld']);
  });

  it('is who cancelled from the cutoff on and before the end of the horizon, each user once', () => {
    const group = {
      decile: 2,
      inControlGroup: false,
      worthContacting: false,
      users: 3,
      predicted: 0.125,
      observed: 0,
    };
    expect(found[0]?.[0]?.groups).toEqual([
      { ...group, decile: 1, users: 2, predicted: 0.75, observed: 2, worthContacting: true },
      { ...group, decile: 1, users: 1, observed: 1, worthContacting: true, inControlGroup: true },
      group,
    ]);
  });

  it('is counted where there was no list, nobody in charge, or no probability', () => {
    const group = { decile: 1, inControlGroup: false, worthContacting: null, users: 1, observed: 1 };
    expect(found[0]?.slice(1).map(({ groups }) => groups)).toEqual([
      [{ ...group, decile: null, predicted: 0.25 }],
      [{ ...group, predicted: 0.5 }],
      [{ ...group, predicted: null }],
    ]);
  });

  it('is counted before scores that have had their time are dropped, and all others are held', () => {
    expect(held[1]).toEqual(held[0]);
    const gone = held[1]?.filter((run) => !held[2]?.includes(run));
    expect(gone).toEqual(['failed', 'known']);
    expect(held[2]).toContain(`attempt-${ENDS.length}`);
  });

  it('is the same when it is counted twice', () => {
    expect(found[1]).toEqual(found[0]);
  });
});
