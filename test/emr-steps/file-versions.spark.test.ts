/**
 * Whatever happens to the files of a log, and wherever ingest is killed: in the end the lake is as one clean run over the
 * versions that it holds would leave it. More stories: CHURN_STORIES=100 CHURN_SEED=7 npm test -- file-versions
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { seeded } from '../support/seeded.ts';
import { temporaryFolder } from '../support/spark-lake.ts';
import { type ServedStep, StepServer } from '../support/step-server.ts';
import { type LakeRows, LakeStory } from './lake-story.ts';

const STORIES = Number(process.env.CHURN_STORIES ?? 1);
const SEED = Number(process.env.CHURN_SEED ?? 20_181_001);
const CHAPTERS = 6;
const MINUTE = 60_000;

/** The script of ingest as commit 5046780 generated it: it kept neither copies nor the days of a file. */
const FORMER = new URL('./former-release/ingest-events.py.gz', import.meta.url);

let folder: string;
let server: StepServer;
let former: ServedStep;
beforeAll(async () => {
  folder = await temporaryFolder();
  former = { scriptName: 'former-release.py', script: gunzipSync(await readFile(FORMER)).toString('utf8') };
  server = await StepServer.start(folder, [ingestEvents, former]);
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

it.each(Array.from({ length: STORIES }, (_, story) => SEED + story))(
  'a story of deliveries and deaths ends like one clean run (seed %i)',
  { timeout: 10 * MINUTE },
  async (seed) => {
    const story = new LakeStory(join(folder, `story ${seed}`), server, seeded(seed));
    await story.happen(CHAPTERS);
    expect(await story.rows(), story.steps.join('\n')).toEqual(await story.cleanRows());
  },
);

it('a lake of a former release is put right by the first run of this one', {
  timeout: 10 * MINUTE,
}, async () => {
  const story = new LakeStory(join(folder, 'former'), server, seeded(SEED));
  await story.beginWith(former, 3);
  // Of a refused line each release keeps something else, and a file that has not changed is not read again for that.
  const [rows, clean] = [await story.rows(), await story.cleanRows()];
  const withoutLines = ({ refused, ...others }: LakeRows) => ({
    ...others,
    refused: refused.map(({ file, reason }) => `${file}: ${reason}`).sort(),
  });
  expect(withoutLines(rows), story.steps.join('\n')).toEqual(withoutLines(clean));
});
