/** The listing of folders side by side, against S3's rules for prefixes, delimiters, starts and pages. */
import {
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  S3Client,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { compareKeys } from '../../../domain/key-order.ts';
import { listInOrder, type S3Range } from '../../../lambda/aws/s3-listing.ts';
import { allOf } from '../../../lambda/ports/pages.ts';

/** S3's answer over these keys, with pages of that many entries. */
function answerOf(keys: readonly string[], input: ListObjectsV2CommandInput, pageSize: number) {
  const { Prefix = '', Delimiter, ContinuationToken, StartAfter } = input;
  const start = ContinuationToken ?? StartAfter ?? '';
  const entries: { readonly key: string; readonly isFolder: boolean }[] = [];
  for (const key of keys) {
    if (!key.startsWith(Prefix) || compareKeys(key, start) <= 0) continue;
    const slash = Delimiter === undefined ? -1 : key.indexOf(Delimiter, Prefix.length);
    const entry = slash === -1 ? { key, isFolder: false } : { key: key.slice(0, slash + 1), isFolder: true };
    if (entries.at(-1)?.key !== entry.key) entries.push(entry);
  }
  const page = entries.slice(0, pageSize);
  const last = page.at(-1);
  const isTruncated = entries.length > page.length;
  return {
    $metadata: {},
    IsTruncated: isTruncated,
    Contents: page.filter(({ isFolder }) => !isFolder).map(({ key }) => ({ Key: key, ETag: '"1"', Size: 1 })),
    CommonPrefixes: page.filter(({ isFolder }) => isFolder).map(({ key }) => ({ Prefix: key })),
    // A folder is passed over as a whole: nothing of it comes before the highest character.
    ...(isTruncated && last !== undefined
      ? { NextContinuationToken: last.isFolder ? `${last.key}\u{10ffff}` : last.key }
      : {}),
  } satisfies ListObjectsV2CommandOutput;
}

function bucketOf(keys: readonly string[], pageSize: number, delayMilliseconds = () => 0) {
  const sorted = [...keys].sort(compareKeys);
  const client = new S3Client({ region: 'us-east-1' });
  const progress = { now: 0, most: 0 };
  const mock = mockClient(client);
  mock.on(ListObjectsV2Command).callsFake(async (input: ListObjectsV2CommandInput) => {
    progress.now += 1;
    progress.most = Math.max(progress.most, progress.now);
    await new Promise((resolve) => setTimeout(resolve, delayMilliseconds()));
    progress.now -= 1;
    return answerOf(sorted, input, pageSize);
  });
  const list = async (range: Omit<S3Range, 'bucket'>): Promise<readonly string[]> =>
    (await allOf(listInOrder(client, { bucket: 'raw', ...range }))).map(({ uri }) =>
      uri.slice('s3://raw/'.length),
    );
  return { client, list, progress, calls: () => mock.commandCalls(ListObjectsV2Command).length };
}

const days = (files: number): string[] =>
  Array.from({ length: 60 }, (_, day) =>
    Array.from({ length: files }, (_, file) => {
      const [month, date] = [Math.floor(day / 28) + 1, (day % 28) + 1].map((part) =>
        String(part).padStart(2, '0'),
      );
      return `events/2018/${month}/${date}/${String(file).padStart(4, '0')}.json`;
    }),
  ).flat();

describe('a listing of folders side by side', () => {
  it.each<[string, readonly string[]]>([
    ['a flat folder', Array.from({ length: 95 }, (_, file) => `events/${file}.json`)],
    ['folders by day', days(7)],
    [
      'folders beside files of like names',
      ['events/a', 'events/a-b', 'events/a.json', 'events/a/1', 'events/a0', 'events/b/1'],
    ],
    ['a marker of the folder itself', ['events/', 'events/a/', 'events/a/1', 'events/b']],
    ['more folders than a page', Array.from({ length: 137 }, (_, day) => `events/dt=${day}/${day % 3}.json`)],
    ['files, then folders', [...Array.from({ length: 40 }, (_, file) => `events/${file}`), ...days(3)]],
    [
      'names beyond the basic plane',
      ['events/\u{1f600}/1', 'events/\uff5e/1', 'events/\uff5e', 'events/\u{1f600}'],
    ],
    ['nothing', ['elsewhere/1']],
  ])('has each object once and in the order of keys: %s', async (_, keys) => {
    const expected = keys.filter((key) => key.startsWith('events/')).sort(compareKeys);
    for (const pageSize of [2, 3, 10, 1_000]) {
      const { list } = bucketOf(keys, pageSize);
      expect(await list({ prefix: 'events/' }), `pages of ${pageSize}`).toEqual(expected);
      for (const after of [
        expected[0],
        expected[Math.floor(expected.length / 2)],
        'events/2018/02',
        'events/zzz',
      ]) {
        if (after === undefined) continue;
        expect(await list({ prefix: 'events/', after }), `pages of ${pageSize} after ${after}`).toEqual(
          expected.filter((key) => compareKeys(key, after) > 0),
        );
      }
    }
  });

  it('waits for many folders at the same time, whichever answers first', async () => {
    const keys = days(25);
    const { list, progress } = bucketOf(keys, 10, () => Math.random() * 4);
    expect(await list({ prefix: 'events/' })).toEqual([...keys].sort(compareKeys));
    expect(progress.most).toBeGreaterThanOrEqual(8);
    expect(progress.most).toBeLessThanOrEqual(32);
  });

  it('lists a small folder with one request', async () => {
    const { list, calls } = bucketOf(['events/a.json', 'events/b.json'], 1_000);
    await list({ prefix: 'events/' });
    expect(calls()).toBe(1);
  });

  it('requests few pages that nobody asks for', async () => {
    const { client, calls } = bucketOf(days(500), 10);
    for await (const page of listInOrder(client, { bucket: 'raw', prefix: 'events/' })) {
      if (page.length > 0) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls()).toBeLessThan(100);
  });

  it('fails as S3 fails', async () => {
    const { client } = bucketOf(days(3), 10);
    const mock = mockClient(client);
    mock.on(ListObjectsV2Command).callsFake((input: ListObjectsV2CommandInput) => {
      if (input.Prefix === 'events/2018/01/05/') throw new Error('S3 is down');
      return answerOf(days(3), input, 10);
    });
    await expect(allOf(listInOrder(client, { bucket: 'raw', prefix: 'events/' }))).rejects.toThrow(
      'S3 is down',
    );
  });
});
