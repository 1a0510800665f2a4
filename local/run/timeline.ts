/** The task states that a run has been in, with the duration and outcome of each. */
import type { StateVisit } from '../../lambda/ports/executions.ts';
import type { StateEvent } from '../interpreter/interpreter.ts';

export interface StateTime {
  readonly name: string;
  readonly seconds: number;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'ABORTED';
}

interface Visit {
  readonly name: string;
  readonly enteredAt: Date;
  endedAt: Date | undefined;
  status: StateTime['status'];
}

export class Timeline {
  readonly #visits: Visit[] = [];

  record({ kind, state, stateType, at }: StateEvent): void {
    if (stateType !== 'Task') return;
    if (kind === 'entered') {
      this.#visits.push({ name: state, enteredAt: at, endedAt: undefined, status: 'ABORTED' });
      return;
    }
    const visit = this.#visits.findLast(({ name }) => name === state);
    if (visit === undefined) return;
    // A retry continues the same visit.
    visit.endedAt = kind === 'retried' ? undefined : at;
    // A state whose failure was caught also exits.
    if (kind === 'failed') visit.status = 'FAILED';
    else if (kind === 'retried') visit.status = 'ABORTED';
    else if (kind === 'exited' && visit.status !== 'FAILED') visit.status = 'SUCCEEDED';
  }

  /** Every visit so far, in order. */
  visits(): readonly StateVisit[] {
    return this.#visits.map(({ name, enteredAt, endedAt }) => ({
      state: name,
      from: enteredAt,
      to: endedAt ?? null,
    }));
  }

  /** Every visit so far with its duration, in order; one that has not ended counts until `now`. */
  states(now: Date): readonly StateTime[] {
    return this.#visits.map(({ name, enteredAt, endedAt, status }) => ({
      name,
      seconds: Math.round(((endedAt ?? now).getTime() - enteredAt.getTime()) / 100) / 10,
      status,
    }));
  }
}
