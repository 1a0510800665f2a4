/**
 * Renders the report of the largest run that there is, among 400 runs, as the Lambda does; prints what it took. A program of its
 * own, so that its memory is that of the rendering: `node render-large.ts <folder for the lake>`.
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { storedModelSchema } from '../../domain/choice.ts';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { featureDefinition } from '../../domain/features/definition.ts';
import { METRIC_ROWS, MODEL_CARD, REPORT, RUN_DETAIL, RUN_RECORD } from '../../domain/lake-objects.ts';
import { modelCard } from '../../domain/model-card.ts';
import { runDetailSchema } from '../../domain/records.ts';
import { addDays } from '../../domain/time.ts';
import { renderReport } from '../../lambda/render-report/render-report.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { metricRows } from '../../lambda/run/metric-rows.ts';
import { ContentTags } from '../../local/adapters/content-tags.ts';
import { FolderStore } from '../../local/adapters/folder-store.ts';
import { localPageScript } from '../../local/run/page-script.ts';
import { largeDetail } from './large-detail.ts';
import { MemoryPorts } from './memory-ports.ts';
import { worldOn } from './run-fixture.ts';
import { storedRun } from './stored-run.ts';

const RUNS = 400;

const [folder = ''] = process.argv.slice(2);
await writeLake();
await localPageScript();
const store = new FolderStore(new ContentTags(join(folder, 'tags.json')), folder);
const world = { ...worldOn(new MemoryPorts()), lake: new Lake(store, `file://${folder}`) };
const [startedAt, usedBefore] = [performance.now(), process.cpuUsage()];
await renderReport({ runId: 'run-1', executionArn: 'arn' }, world, localPageScript);
const used = process.cpuUsage(usedBefore);
const { size } = await stat(join(folder, REPORT.of('run-1').key));
const megabytes = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(
  `${JSON.stringify({
    bytes: size,
    megabytes: Math.round(megabytes),
    seconds: Math.round(performance.now() - startedAt) / 1_000,
    processorSeconds: Math.round((used.user + used.system) / 1_000) / 1_000,
  })}\n`,
);

async function writeLake(): Promise<void> {
  const stored = await storedRun();
  const { ports } = stored;
  const detail = largeDetail(stored.detail);
  runDetailSchema.parse(detail);
  // What the fixture has in S3 is in the folder.
  const local = (value: unknown): string =>
    JSON.stringify(value).replaceAll(`"${worldOn(ports).lake.root}/`, `"file://${folder}/`);
  await put(RUN_DETAIL.of('run-1').key, local(detail));
  const inputs = FEATURES.map((feature) => ({ name: feature.name, definition: featureDefinition(feature) }));
  const model = { kind: 'boosted_trees', runId: 'run-1', horizonDays: 14, testCutoff: '2018-11-19', inputs };
  const card = modelCard(detail, storedModelSchema.parse(model), () => '0'.repeat(64));
  await put(MODEL_CARD.of('run-1').key, local(card));
  const rows = metricRows(detail);
  for (let index = 0; index < RUNS; index += 1) {
    const id = index === 0 ? 'run-1' : `run-1-${index}`;
    const moved = (time: string): string => `${addDays(time.slice(0, 10), -index)}${time.slice(10)}`;
    const end = moved(detail.record.ended_at);
    const record = {
      ...{ ...detail.record, run_id: id, ended_at: end },
      started_at: new Date(Date.parse(end) - 3_600_000 - 1_234_567 * (index % 9)).toISOString(),
      ...{ rows_read: 30_000_000 + 1_234_567 * (index % 7), cost_usd: 4.321 + (index % 9) / 7 },
      promoted: index % 30 === 0,
    };
    const own = rows.map((row) => ({ ...row, run_id: id, value: row.value * (1 + (index % 11) / 97) }));
    await put(RUN_RECORD.of(id).key, JSON.stringify(record));
    await put(METRIC_ROWS.of(id).key, own.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }
}

async function put(key: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, key)), { recursive: true });
  await writeFile(join(folder, key), text);
}
