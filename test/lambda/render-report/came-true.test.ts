/** "What came true" in the report, and where a change of it is said. */
import { beforeAll, describe, expect, it } from 'vitest';
import { knownOutcomes, type OutcomeRow, outcomeRows } from '../../../domain/outcomes.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { OutcomeGroup } from '../../../domain/results.ts';
import { addDays } from '../../../domain/time.ts';
import { ChartBook } from '../../../lambda/render-report/charts.ts';
import { reportPage } from '../../../lambda/render-report/page.ts';
import { cameTrueSection } from '../../../lambda/render-report/sections/came-true.ts';
import { pageMixSection } from '../../../lambda/render-report/sections/page-mix.ts';
import { warnings } from '../../../lambda/render-report/sections/warnings.ts';
import { measurements } from '../../../lambda/store-metrics/measurements.ts';
import { summarize } from '../../../lambda/store-metrics/success-text.ts';
import { storedRun } from '../../support/stored-run.ts';

let detail: RunDetail;

beforeAll(async () => {
  ({ detail } = await storedRun());
});

const group = (
  users: number,
  predicted: number | null,
  observed: number,
  more: Partial<OutcomeGroup> = {},
): OutcomeGroup => ({
  ...{ decile: 2, inControlGroup: false, worthContacting: false, users, predicted, observed },
  ...more,
});
const worth = { decile: 1, worthContacting: true };
const control = { ...worth, inControlGroup: true };

/** The outcome of a run so many days after the first. */
const rows = (groups: readonly OutcomeGroup[], day = 0, runId = `run <${day}>`): readonly OutcomeRow[] => {
  const cutoff = addDays('2018-10-04', day);
  return outcomeRows({ runId, cutoff, horizonEnd: addDays(cutoff, 14), groups: [...groups] }, 'run-9');
};
const knowing = (...outcomes: readonly (readonly OutcomeRow[])[]): RunDetail => ({
  ...detail,
  outcomes: knownOutcomes(outcomes),
});
const textOf = async (of: RunDetail): Promise<string> =>
  ((await cameTrueSection(of, new ChartBook()))?.markup ?? '')
    .replaceAll(/<svg[\s\S]*?<\/svg>|<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('what came true', () => {
  it('is said of the newest run whose horizon has passed, by tenth, with what was predicted', async () => {
    const text = await textOf(
      knowing(rows([group(800, 20, 31), group(200, 60, 45, worth)]), rows([group(1, 1, 1)], -14)),
    );
    expect(text).toContain(
      'run &lt;0&gt; , which scored 1,000 users as of 4 October 2018. 80 were predicted to cancel, 76 did.',
    );
    expect(text).toContain('who cancelled between 4 and 17 October 2018');
    expect(text).toMatch(/tenth most at risk 200 60\.0 45 22\.5% 17\.3% to 28\.8% 1\.33/);
    expect(text).toMatch(/tenth 2 800 20\.0 31/);
    expect(text).toMatch(/all 1,000 80\.0 76 7\.6%/);
  });

  it('has the effect of contacting with its interval and the smallest that is found in 80 of 100 cases', async () => {
    const found = await textOf(knowing(rows([group(3_600, 900, 600, worth), group(400, 100, 108, control)])));
    expect(found).toContain(
      'Of the 3,600 users on the list 16.7% cancelled, of the 400 users of the control group',
    );
    expect(found).toMatch(/10\.3 percentage points fewer of the list, between 6\.\d fewer and 15\.\d fewer/);
    expect(found).toContain(
      'Contacting has kept users. With so many users an effect of 6.0 percentage points or more',
    );
    const unclear = await textOf(knowing(rows([group(360, 90, 80, worth), group(40, 10, 10, control)])));
    expect(unclear).toContain('That may be chance.');
    expect(unclear).toMatch(/between \d+\.\d more and \d+\.\d fewer/);
    const tiny = await textOf(knowing(rows([group(9, 2, 2, worth), group(1, 0.2, 0, control)])));
    expect(tiny).toContain('not even keeping everyone would have been found');
  });

  it('says where there was no list, nobody to compare it with, and where probabilities were withheld', async () => {
    const none = { worthContacting: null };
    expect(await textOf(knowing(rows([group(100, 9, 8, none)])))).toContain('That run had no list');
    expect(await textOf(knowing(rows([group(100, 30, 20, worth)])))).toContain('cannot be measured');
    expect(await textOf(knowing(rows([group(100, null, 8, none)])))).toContain(
      'the probabilities were withheld',
    );
  });

  it('says when something will be known, where nothing is yet', async () => {
    expect(await textOf(knowing())).toContain('Nothing yet: of no run has the horizon passed');
    expect(await textOf(knowing())).toContain('17 December 2018');
    const { outcomes: _, ...older } = detail;
    expect(await textOf(older)).toBe('');
  });

  it('is a chart as soon as two runs are known, in the page too', async () => {
    const one = rows([group(900, 90, 95)]);
    expect(await textOf(knowing(one))).not.toContain('run after run');
    const context = { history: [], script: async () => 'void 0' };
    const page = await reportPage(knowing(one, rows([group(900, 90, 99)], 14)), context);
    expect(page).toContain('id="came-true-over-time"');
    expect(page.match(/id="came-true"/g)).toHaveLength(1);
  });
});

describe('a change of what comes true', () => {
  const right = [0, 14, 28].map((day) => rows([group(9_000, 300, 305)], day));
  const shifted = [...right, rows([group(9_000, 300, 420)], 42)];
  const said =
    'More users cancel than the scores said: of those scored from 2018-11-15 on 300 were predicted to cancel and 420 did';

  it('is said in the summary, in the warnings and as a measurement', () => {
    const of = knowing(...shifted);
    expect(summarize(of)).toContain(`${said}, more than chance explains.`);
    expect(warnings(of).filter((warning) => warning.startsWith(said))).toHaveLength(1);
    expect(measurements(of)).toMatchObject({ outcomeShift: 1 });
  });

  it('is not said while the scores are right, and not measured where nothing is known', () => {
    expect(summarize(knowing(...right))).not.toContain('than the scores said');
    expect(measurements(knowing(...right))).toMatchObject({ outcomeShift: 0 });
    expect(measurements(knowing())).not.toHaveProperty('outcomeShift');
  });
});

describe('a source that has gone quiet', () => {
  const counts = Array.from({ length: 56 }, (_, day) => (day < 50 ? 10 : 0));
  const days = counts.map((_, day) => ({ day: addDays('2018-10-08', day), events: 1_000, users: 50 }));

  it('is said in the summary and in the warnings, and counted', () => {
    const sources = { days, counts: [{ kind: 'page' as const, name: 'Help', counts }] };
    const of: RunDetail = { ...detail, features: { ...detail.features, sources } };
    const text =
      'The page Help has not appeared since 2018-11-26, though 60 events with it would have been usual.';
    expect(summarize(of)).toContain(text);
    expect(warnings(of)).toContain(text);
    expect(measurements(of)).toMatchObject({ sourcesGoneQuiet: 1, sourcesNew: 0 });
    expect(measurements(detail)).toMatchObject({ sourcesGoneQuiet: 0, sourcesNew: 0 });
  });

  it('is said beside the pages day by day, which are left out of reports that lack them', async () => {
    const songs = { kind: 'page' as const, name: 'NextSong', counts: counts.map(() => 800) };
    const device = { kind: 'device' as const, name: 'iPad', counts: counts.map(() => 5) };
    const sources = { days, counts: [songs, { kind: 'page' as const, name: 'Help', counts }, device] };
    const of: RunDetail = { ...detail, features: { ...detail.features, sources } };
    const markup = (await pageMixSection(of, new ChartBook()))?.markup ?? '';
    expect(markup).toContain('the page Help has not appeared since 26 November 2018');
    expect(markup).toContain('aria-label="Visits per 1,000 events, day by day, of 2 pages"');
    const text = markup.replaceAll(/<svg[\s\S]*?<\/svg>|<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
    expect(text).toContain('page NextSong 80% 80% 44,800');
    expect(text).toContain('page Help 0.1% 1% 500');
    expect(text).toContain('device iPad 10% 10% 280');
    const calm: RunDetail = { ...of, features: { ...of.features, sources: { ...sources, counts: [songs] } } };
    expect((await pageMixSection(calm, new ChartBook()))?.markup).toContain(
      'has gone quiet, and none is new',
    );
    expect(await pageMixSection(detail, new ChartBook())).toBeUndefined();
  });
});
