import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logWarnings, newestDayOf } from '../../domain/log-state.ts';
import { nothingLearnt } from '../../domain/nothing-learnt.ts';
import { type RunDetail, runDetailSchema } from '../../domain/records.ts';
import { addDays } from '../../domain/time.ts';
import { reportPage } from '../../lambda/render-report/page.ts';
import { measurements } from '../../lambda/store-metrics/measurements.ts';
import { summarize } from '../../lambda/store-metrics/success-text.ts';

const stored = runDetailSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, 'stored/run-detail.json'), 'utf8')),
);
const { firstDay, observationEnd, observedDays } = stored.features;
const days = Array.from({ length: observedDays }, (_, index) => ({
  day: addDays(firstDay, index),
  events: 200,
}));
const withDays = (own: typeof days): RunDetail => ({
  ...stored,
  features: { ...stored.features, days: own },
});

describe('the state of a log', () => {
  it('is nothing to speak of for a whole log, and not known for runs of older versions', () => {
    expect(logWarnings(stored)).toEqual([]);
    expect(logWarnings(withDays(days))).toEqual([]);
    expect(newestDayOf(stored)).toBeUndefined();
    expect(newestDayOf(withDays(days))?.day).toBe(addDays(observationEnd, -1));
  });

  it('names days without events, thin days, and the cutoffs that they touch, wherever people look', async () => {
    const [missing, thin] = [addDays(observationEnd, -10), addDays(observationEnd, -5)];
    const detail = withDays(
      days.flatMap(({ day, events }) =>
        day === missing ? [] : [{ day, events: day === thin ? 12 : events }],
      ),
    );
    const sentences = logWarnings(detail);
    expect(sentences).toEqual([
      `1 day is without events inside the log's period: ${missing}`,
      `1 day is with less than a fifth of the events that are usual around: ${thin} (12, usual 200)`,
      expect.stringContaining(observationEnd),
    ]);
    for (const text of [
      summarize(detail),
      await reportPage(detail, { history: [], script: async () => '' }),
    ]) {
      expect(text).toContain(missing);
      expect(text).toContain(thin);
    }
    expect(measurements(detail)).toMatchObject({ daysWithoutEvents: 2, filesPassedOver: 0 });
  });

  it('counts files that were not read, and those that gave no event', () => {
    const left = { count: 0, first: [] };
    const detail: RunDetail = {
      ...stored,
      plan: {
        ...stored.plan,
        listing: { since: null, left, passedOver: [{ reason: 'zip', count: 2, first: ['a.zip', 'b.zip'] }] },
      },
      ingest: {
        ...stored.ingest,
        passedOver: [{ reason: 'no_events', count: 1, first: ['access.log'] }],
        withoutEvents: { count: 1, first: ['c.json'] },
      },
    };
    expect(logWarnings(detail)).toEqual([
      expect.stringMatching(/^2 files were not read \(zip archives\): a\.zip, b\.zip; unpack/),
      '1 file was not read (no event files by their first lines): access.log',
      '1 file was read and gave no event: c.json; see the refused rows of the run',
    ]);
    expect(measurements(detail)).toMatchObject({ filesPassedOver: 3, filesWithoutEvents: 1 });
  });
});

describe('a log in which nobody cancels', () => {
  const { training } = stored;
  if (training === null) throw new Error('the stored run has trained');
  const quiet: RunDetail = {
    ...stored,
    features: { ...stored.features, cancellations: 0 },
    training: {
      ...training,
      evaluations: training.evaluations.filter(({ kind }) => kind === 'baseline'),
      chosen: 'base_rate',
    },
    scoring: { ...stored.scoring, top: [], expectedCancellations: 0 },
  };

  it('is said to be one in plain words, without a list of users', async () => {
    expect(nothingLearnt(stored)).toBeUndefined();
    expect(nothingLearnt(quiet)).toMatch(/^Nobody cancels in this log, so there is nothing to learn from/);
    expect(summarize(quiet)).toContain('Nobody cancels in this log');
    const page = await reportPage(quiet, { history: [], script: async () => '' });
    expect(page).toContain('<h1>Nobody cancels in this log: there is nothing to learn from</h1>');
    expect(page).toContain('Nobody should be contacted');
    expect(page).not.toContain('<caption>Users to contact');
  });
});
