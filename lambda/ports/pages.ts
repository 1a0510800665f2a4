/** Long sequences, page by page: only a few pages are held at a time, however long the sequence is. */

/** Pages of a sequence; a page may be empty. */
export type Pages<Item> = AsyncIterable<readonly Item[]>;

/** Every item at once: for sequences that are known to be short. */
export async function allOf<Item>(pages: Pages<Item>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of pages) for (const item of page) items.push(item);
  return items;
}

/** The items one by one. Moving on waits only where the next page has not come yet, so that short steps stay cheap. */
export class Cursor<Item> {
  readonly #pages: AsyncIterator<readonly Item[]>;
  #page: readonly Item[] = [];
  #at = 0;

  private constructor(pages: Pages<Item>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** A cursor at the first item. */
  static async at<Item>(pages: Pages<Item>): Promise<Cursor<Item>> {
    const cursor = new Cursor(pages);
    await cursor.#nextPage();
    return cursor;
  }

  /** The item at the cursor; undefined after the last one. */
  get item(): Item | undefined {
    return this.#page[this.#at];
  }

  /** Moves to the next item; returns a promise only if its page has to be waited for. */
  advance(): Promise<void> | undefined {
    this.#at += 1;
    return this.#at < this.#page.length ? undefined : this.#nextPage();
  }

  /** Gives the sequence up before its end. */
  async close(): Promise<void> {
    await this.#pages.return?.();
  }

  async #nextPage(): Promise<void> {
    this.#at = 0;
    do {
      const next = await this.#pages.next();
      this.#page = next.done === true ? [] : next.value;
      if (next.done === true) return;
    } while (this.#page.length === 0);
  }
}

/** Reads a sequence ahead of whoever takes its items. The first requests are made at once. */
class ReadAhead<Item> implements AsyncIterableIterator<Item> {
  readonly #source: AsyncIterator<Item>;
  readonly #requests: Promise<IteratorResult<Item>>[] = [];

  /** @param count how many items are requested ahead; they wait in memory */
  constructor(source: AsyncIterable<Item>, count: number) {
    this.#source = source[Symbol.asyncIterator]();
    for (let made = 0; made < count; made += 1) this.#request();
  }

  next(): Promise<IteratorResult<Item>> {
    this.#request();
    return this.#requests.shift() ?? this.#source.next();
  }

  async return(): Promise<IteratorResult<Item>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #request(): void {
    const requested = this.#source.next();
    // Whoever comes to this item gets the error; until then it must not count as unhandled.
    requested.catch(() => undefined);
    this.#requests.push(requested);
  }
}

/** The same items; the next `count` of them are requested before they are asked for. */
export function readAhead<Item>(source: AsyncIterable<Item>, count: number): AsyncIterable<Item> {
  return new ReadAhead(source, count);
}

/**
 * Sequences one after the other, while those that follow are already being read.
 * @param atOnce how many are read at the same time
 * @param itemsAhead how many items of each wait in memory
 */
export async function* sideBySide<Item>(
  sequences: readonly (() => AsyncIterable<Item>)[],
  { atOnce, itemsAhead }: { readonly atOnce: number; readonly itemsAhead: number },
): AsyncGenerator<Item> {
  const started: ReadAhead<Item>[] = [];
  const waiting = [...sequences].reverse();
  try {
    for (;;) {
      while (started.length < atOnce) {
        const sequence = waiting.pop();
        if (sequence === undefined) break;
        started.push(new ReadAhead(sequence(), itemsAhead));
      }
      const first = started[0];
      if (first === undefined) return;
      yield* first;
      started.shift();
    }
  } finally {
    await Promise.all(started.map((sequence) => sequence.return()));
  }
}

/** The lines of a text that comes in pieces, without their ends; the last line may lack one. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (
      rest + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }))
    ).split('\n');
    rest = lines.pop() ?? '';
    yield lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}
