/** The files that the lake holds and the log no longer has. Each is named once, and counted afterwards. */
import { compareKeys } from '../../domain/key-order.ts';
import { GONE_FILES } from '../../domain/lake-objects.ts';
import { FILES_NAMED, type Listing } from '../../domain/listing.ts';
import type { Lake } from '../run/lake.ts';
import { isAt } from './event-files.ts';
import type { FileStatus } from './file-index/sorted-pages.ts';

/** Of more addresses than this it is not remembered which were named: they are counted only. */
const MOST_REMEMBERED = 50_000;

/** Where files must be to count as gone: at the location, and after the address from which it was listed. */
export interface ListedPlace {
  readonly location: string;
  readonly since: string | undefined;
}

/** Collects the files that are gone while their statuses pass by. */
export class GoneFiles {
  readonly #place: ListedPlace;
  readonly #takenOut: ReadonlySet<string>;
  readonly #uris: string[] = [];
  #count = 0;

  /** @param takenOut addresses that this run removes from the lake */
  constructor(place: ListedPlace, takenOut: readonly { readonly uri: string }[]) {
    this.#place = place;
    this.#takenOut = new Set(takenOut.map(({ uri }) => uri));
  }

  /** Notes a status. */
  see(status: FileStatus): void {
    if (status.kind !== 'gone') return;
    const { uri } = status.entry;
    const { location, since } = this.#place;
    const isListed = isAt(uri, location) && (since === undefined || compareKeys(uri, since) > 0);
    if (!isListed || this.#takenOut.has(uri)) return;
    this.#count += 1;
    if (this.#uris.length < MOST_REMEMBERED) this.#uris.push(uri);
  }

  /** How many there are, and those of which no run has said so. */
  async listing(lake: Lake): Promise<NonNullable<Listing['gone']>> {
    const fresh = this.#freshOf((await lake.glimpse(GONE_FILES)) ?? []);
    return { count: this.#count, new: { count: fresh.length, first: fresh.slice(0, FILES_NAMED) } };
  }

  /** Remembers that they have been named; addresses at other locations stay as they are. */
  async remember(lake: Lake): Promise<void> {
    const named = (await lake.glimpse(GONE_FILES)) ?? [];
    const elsewhere = named.filter((uri) => !isAt(uri, this.#place.location));
    const all = [...new Set([...elsewhere, ...this.#uris])].slice(0, MOST_REMEMBERED);
    if (this.#freshOf(named).length > 0 || all.length < named.length) await lake.write(GONE_FILES, all);
  }

  #freshOf(named: readonly string[]): readonly string[] {
    const known = new Set(named);
    return this.#uris.filter((uri) => !known.has(uri));
  }
}
