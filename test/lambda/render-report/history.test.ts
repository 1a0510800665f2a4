/** The runs so far, as the report shows them, and the page that lists all reports. */
import { beforeAll, describe, expect, it } from 'vitest';
import { METRIC_ROWS, REPORT, RUN_RECORD } from '../../../domain/lake-objects.ts';
import type { RunDetail, RunRecord } from '../../../domain/records.ts';
import { addDays } from '../../../domain/time.ts';
import { ChartBook } from '../../../lambda/render-report/charts.ts';
import { type PastRun, pastRun, readHistory } from '../../../lambda/render-report/history.ts';
import { indexPage } from '../../../lambda/render-report/index-page.ts';
import { historySection } from '../../../lambda/render-report/sections/history.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { at, worldOn } from '../../support/run-fixture.ts';
import { storedRun } from '../../support/stored-run.ts';

let detail: RunDetail;

beforeAll(async () => {
  ({ detail } = await storedRun());
});

/** A run so many days before the one of the report. */
function record(days: number, more: Partial<RunRecord> = {}): RunRecord {
  const moved = (time: string): string => `${addDays(time.slice(0, 10), -days)}${time.slice(10)}`;
  const { started_at: start, ended_at: end } = detail.record;
  return {
    ...{ ...detail.record, run_id: `run-${days}-before`, started_at: moved(start), ended_at: moved(end) },
    ...more,
  };
}

function past(days: number, more: Partial<RunRecord> = {}, hasReport = true): PastRun {
  const own = record(days, more);
  const row = { protocol: 'forward', slice: 'all', metric: 'average_precision_ratio', low: 2.9, high: 3.4 };
  return pastRun(own, [{ ...row, model: own.model ?? '', value: 3 + days / 100 }], hasReport);
}

async function shown(
  history: readonly PastRun[],
): Promise<{ readonly text: string; readonly book: ChartBook }> {
  const book = new ChartBook();
  const { markup } = await historySection(detail, history, book);
  const text = markup.replaceAll(/<svg[\s\S]*?<\/svg>|<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
  return { text, book };
}

const kept = { promoted: false, promotion_reason: 'the champion is better' };

describe('the runs so far', () => {
  it('name the report before this one, or say that it is gone', async () => {
    expect((await shown([past(7), past(0)])).text).toContain('The report before this one: run-7-before');
    expect((await shown([past(7, {}, false), past(0)])).text).toContain(
      'The run before this one was run-7-before ',
    );
    expect((await shown([past(7, { status: 'FAILED' }), past(0)])).text).toContain(
      'This is the first run that succeeded.',
    );
  });

  it('say which put their model in charge, and mark them', async () => {
    const first = { promotion_reason: 'the first <model>', model: 'random_forest' } as const;
    const { text, book } = await shown([past(14, first), past(7, kept), past(3, kept), past(0)]);
    expect(text).toContain('A new model was put in charge twice in these runs, the last time on');
    expect(text).toMatch(/run-14-before [^<>]* Random forest the first &lt;model&gt;/);
    expect(text).not.toContain('the champion is better');
    const drawn = JSON.stringify(book.specs['history-quality']);
    expect(drawn.match(/"event":"its model was promoted"/g)).toHaveLength(2);
    expect(drawn).toContain('2 runs marked, whose model was promoted');
    expect(JSON.stringify(book.specs['history-volume'])).not.toContain('promoted');
  });

  it('say nothing of promotions where there were none', async () => {
    const { text, book } = await shown([past(7, kept), past(0, kept)]);
    expect(text).not.toContain('in charge');
    expect(JSON.stringify(book.specs['history-quality'])).not.toContain('diamond');
  });
});

describe('the history that is read', () => {
  it('has the newest 400 runs, the oldest first, with the figures of each and whether there is a report', async () => {
    const lake = new MemoryPorts();
    for (let days = 0; days < 410; days += 1) {
      const own = record(days);
      // Listed in the order in which they were written.
      lake.objects.put(at(RUN_RECORD.of(own.run_id).key), JSON.stringify(own));
      lake.clock.advance(-86_400_000);
    }
    const row = { run_id: 'run-1-before', model: detail.record.model, protocol: 'forward', slice: 'all' };
    const rows = [
      { ...row, metric: 'auc', value: 0.76, low: 0.7, high: 0.8 },
      { ...row, slice: 'level=paid', metric: 'auc', value: 0.6, low: null, high: null },
    ];
    lake.objects.put(
      at(METRIC_ROWS.of('run-1-before').key),
      rows.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    for (const id of ['run-405-before', 'run-1-before', 'run-409-before']) {
      lake.objects.put(at(REPORT.of(id).key), 'a page');
      lake.clock.advance(-1_000);
    }
    const { runs: history, olderReports } = await readHistory(worldOn(lake).lake);
    expect(olderReports).toEqual(['run-405-before', 'run-409-before']);
    expect(history).toHaveLength(400);
    expect(history[0]?.record.run_id).toBe('run-399-before');
    expect(history.at(-1)?.record.run_id).toBe('run-0-before');
    expect(history.at(-2)).toMatchObject({ metrics: { auc: { value: 0.76 } }, hasReport: true });
    expect(history.at(-1)).toMatchObject({ metrics: {}, hasReport: false });
  });
});

describe('the page that lists all reports', () => {
  it('begins with the newest, and links those that are there', () => {
    const page = indexPage([past(14, {}, false), past(7)]);
    expect(page.indexOf('run-7-before')).toBeLessThan(page.indexOf('run-14-before'));
    expect(page).toContain('href="run-7-before.html"');
    expect(page).not.toContain('href="run-14-before.html"');
    expect(page).not.toContain('Older reports');
    expect(indexPage([past(7)], ['run <400>'])).toMatch(
      /Older reports[\s\S]*href="run%20%3C400%3E\.html">run &lt;400&gt;</,
    );
  });
});
