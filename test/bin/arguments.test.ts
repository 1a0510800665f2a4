import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsLocation, isoDay, share, wholeNumber } from '../../bin/commands/arguments.ts';

describe('an argument on the command line', () => {
  it('is accepted as a whole number only within its bounds', () => {
    expect(wholeNumber(1, 60)('14')).toBe(14);
    for (const text of ['0', '61', '1.5', '-1', '1e1', '', 'x']) {
      expect(() => wholeNumber(1, 60)(text)).toThrow('from 1 to 60');
    }
  });

  it('is accepted as a share, also in percent', () => {
    expect([share('0.05'), share('5%'), share('1')]).toEqual([0.05, 0.05, 1]);
    for (const text of ['5', '-1%', '', 'x', '%']) expect(() => share(text)).toThrow('share');
  });

  it('is accepted as a day only if the day exists', () => {
    expect(isoDay('2018-12-01')).toBe('2018-12-01');
    for (const text of ['2018-02-30', '1.12.2018', '2018-12-1', ''])
      expect(() => isoDay(text)).toThrow('YYYY-MM-DD');
  });
});

describe('the location of an event log', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'log ')));
    await mkdir(join(folder, 'log [1]'));
    await writeFile(join(folder, 'log [1]/a.json'), '{}');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('may be a folder, a file or a glob', () => {
    expect(eventsLocation(join(folder, 'log [1]'), '/lake')).toBe(join(folder, 'log [1]'));
    expect(eventsLocation(join(folder, 'log [1]/a.json'), '/lake')).toBe(join(folder, 'log [1]/a.json'));
    expect(eventsLocation(join(folder, 'log*/*.json'), '/lake')).toBe(join(folder, 'log*/*.json'));
  });

  it('is named in the error if nothing is there', () => {
    expect(() => eventsLocation(join(folder, 'nothing'), '/lake')).toThrow(join(folder, 'nothing'));
  });

  it.each(['s3://bucket/events', 's3n://bucket/events', 's3a://bucket/a.json', 'gs://bucket/x'])(
    'is on this machine: for %s the error says to copy',
    (text) => {
      expect(() => eventsLocation(text, '/lake')).toThrow(
        /reads files of this machine, not .*: copy them first/,
      );
    },
  );

  it('may not contain the lake, unless the lake is a hidden folder', () => {
    expect(() => eventsLocation(folder, join(folder, 'log [1]/lake'))).toThrow('inside the event log');
    expect(() => eventsLocation(folder, folder)).toThrow('inside the event log');
    expect(eventsLocation(folder, join(folder, '.churn'))).toBe(folder);
    expect(eventsLocation(folder, `${folder}-lake`)).toBe(folder);
  });
});
