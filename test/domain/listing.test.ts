import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listingWarnings } from '../../domain/listing.ts';
import { runDetailSchema } from '../../domain/records.ts';
import { runSettingsSchema } from '../../domain/run.ts';
import { warnings } from '../../lambda/render-report/sections/warnings.ts';
import { summarize } from '../../lambda/store-metrics/success-text.ts';

const nothing = { count: 0, first: [] };
const since = 's3://raw/events/2018/10/05';

describe('what a run left out', () => {
  it('is nothing to speak of where all was listed and taken, or nothing is known', () => {
    expect(listingWarnings(undefined)).toEqual([]);
    expect(listingWarnings({ since: null, left: nothing })).toEqual([]);
  });

  it('is counted, and its first files are named', () => {
    expect(listingWarnings({ since: null, left: { count: 1, first: ['a'] } })).toEqual([
      '1 new file is left for the next run, because a run takes only so many: a',
    ]);
    expect(listingWarnings({ since: null, left: { count: 12_345, first: ['a', 'b'] } })).toEqual([
      '12,345 new files are left for the next run, because a run takes only so many: a, b, ...',
    ]);
  });

  it('includes corrections of files before the listing', () => {
    expect(listingWarnings({ since, left: nothing })).toEqual([
      expect.stringMatching(
        /^Only files after \S+\/2018\/10\/05 were listed .*corrections of older files are not looked for/,
      ),
    ]);
  });

  it('is said in the notification and in the report, and absent where there is nothing to say', () => {
    const stored = readFileSync(join(import.meta.dirname, 'stored/run-detail.json'), 'utf8');
    const detail = runDetailSchema.parse(JSON.parse(stored));
    const leaving = {
      ...detail,
      plan: { ...detail.plan, listing: { since, left: { count: 1, first: ['a'] } } },
    };
    for (const sentences of [summarize(leaving), warnings(leaving).join('\n')]) {
      expect(sentences).toContain('1 new file is left for the next run');
      expect(sentences).toContain('corrections of older files are not looked for');
    }
    for (const sentences of [summarize(detail), warnings(detail).join('\n')]) {
      expect(sentences).not.toMatch(/left for the next run|not looked for/);
    }
  });
});

describe('the setting listSince', () => {
  const parsed = (listSince: unknown) => runSettingsSchema.safeParse({ listSince }).success;

  it('is off by default', () => {
    expect(runSettingsSchema.parse({}).listSince).toBeNull();
  });

  it.each(['YYYY/MM/DD', 'dt=YYYY-MM-DD', 'year=YYYY/month=MM', 'log-YYYYMMDD'])(
    'knows folders like %s',
    (folder) => {
      expect(parsed({ folder, days: 30 })).toBe(true);
    },
  );

  it.each(['DD-MM-YYYY', 'YYYY', 'YYYY/DD', '/YYYY/MM', 'YYYY/MM/', 'YYYY/MM/MM', 'days'])(
    'refuses folders that do not sort by day, or no folders at all: %s',
    (folder) => {
      expect(parsed({ folder, days: 30 })).toBe(false);
    },
  );
});
