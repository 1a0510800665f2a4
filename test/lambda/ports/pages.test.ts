import { describe, expect, it } from 'vitest';
import { allOf, Cursor, linesOf, type Pages, readAhead, sideBySide } from '../../../lambda/ports/pages.ts';

async function* from<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** Counts what is asked of a sequence, and whether it was given up. */
function watched(items: number) {
  const seen = { asked: 0, isClosed: false };
  const sequence = async function* (): AsyncGenerator<number> {
    try {
      for (let item = 0; item < items; item += 1) {
        seen.asked += 1;
        yield item;
      }
    } finally {
      seen.isClosed = true;
    }
  };
  return { seen, sequence };
}

describe('a cursor', () => {
  const pages = (): Pages<string> => from(['a', 'b'], [], [], ['c'], []);

  it('stops at each item once and passes over empty pages', async () => {
    const cursor = await Cursor.at(pages());
    const seen: string[] = [];
    while (cursor.item !== undefined) {
      seen.push(cursor.item);
      await cursor.advance();
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('waits only where a page ends', async () => {
    const cursor = await Cursor.at(pages());
    expect(cursor.advance()).toBeUndefined();
    expect(cursor.advance()).toBeInstanceOf(Promise);
  });

  it('gives up the rest', async () => {
    const { seen, sequence } = watched(10);
    const cursor = await Cursor.at(
      (async function* () {
        for await (const item of sequence()) yield [item];
      })(),
    );
    await cursor.close();
    expect(seen).toEqual({ asked: 1, isClosed: true });
  });
});

describe('sequences read side by side', () => {
  const bounds = { atOnce: 2, itemsAhead: 3 };

  it('come one after the other', async () => {
    const sequences = [() => from(1, 2), () => from<number>(), () => from(3), () => from(4, 5)];
    const items: number[] = [];
    for await (const item of sideBySide(sequences, bounds)) items.push(item);
    expect(items).toEqual([1, 2, 3, 4, 5]);
  });

  it('are read ahead as far as allowed, and closed when the reader stops', async () => {
    const all = [watched(10), watched(10), watched(10)];
    for await (const item of sideBySide(
      all.map(({ sequence }) => sequence),
      bounds,
    )) {
      expect(item).toBe(0);
      break;
    }
    expect(all.map(({ seen }) => seen.asked)).toEqual([4, 3, 0]);
    expect(all.map(({ seen }) => seen.isClosed)).toEqual([true, true, false]);
  });

  it('fail where the failing one is reached', async () => {
    const failing = async function* (): AsyncGenerator<number> {
      yield 2;
      throw new Error('cut off');
    };
    const items: number[] = [];
    const reading = (async () => {
      for await (const item of sideBySide([() => from(1), failing], bounds)) items.push(item);
    })();
    await expect(reading).rejects.toThrow('cut off');
    expect(items).toEqual([1, 2]);
  });
});

it('what is read ahead is the same', async () => {
  const items: number[] = [];
  for await (const item of readAhead(from(1, 2, 3), 2)) items.push(item);
  expect(items).toEqual([1, 2, 3]);
});

describe('lines', () => {
  const bytes = new TextEncoder().encode('{"é": 1}\n\n{"😀": 2}\nlast');

  it.each([1, 2, 3, 5, 100])('are whole however the text is cut: pieces of %d bytes', async (size) => {
    const pieces = async function* () {
      for (let start = 0; start < bytes.length; start += size) yield bytes.slice(start, start + size);
    };
    expect(await allOf(linesOf(pieces()))).toEqual(['{"é": 1}', '', '{"😀": 2}', 'last']);
  });

  it('end with the text', async () => {
    expect(await allOf(linesOf(from('a\n', 'b\n')))).toEqual(['a', 'b']);
    expect(await allOf(linesOf(from()))).toEqual([]);
  });
});
