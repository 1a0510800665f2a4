/** The files below the place of a log that a run does not read, by reason. */
import { PASSED_OVER_REASONS, type PassedOverReason } from '../../domain/event-files.ts';
import { FILES_NAMED, type PassedOver } from '../../domain/listing.ts';

/** Collects them while the log is listed. */
export class PassedOverFiles {
  readonly #found = new Map<PassedOverReason, { count: number; first: string[] }>();

  see(uri: string, reason: PassedOverReason): void {
    const known = this.#found.get(reason) ?? { count: 0, first: [] };
    known.count += 1;
    if (known.first.length < FILES_NAMED) known.first.push(uri);
    this.#found.set(reason, known);
  }

  /** In the order of the reasons. */
  listing(): PassedOver[] {
    return PASSED_OVER_REASONS.flatMap((reason) => {
      const found = this.#found.get(reason);
      return found === undefined ? [] : [{ reason, ...found }];
    });
  }
}
