/** How long each state of a run took. */
import type { StateEvent } from '../../local/interpreter/interpreter.ts';

/** One line for each task, in the order in which they ended: `TrainModels  212.4 s`. */
export function durationsText(events: readonly StateEvent[]): string {
  const entered = new Map<string, number>();
  const lines: string[] = [];
  for (const { kind, state, stateType, at } of events) {
    if (stateType !== 'Task') continue;
    if (kind === 'entered') entered.set(state, at.getTime());
    const start = entered.get(state);
    if (kind === 'exited' && start !== undefined) {
      lines.push(`${state.padEnd(20)} ${((at.getTime() - start) / 1_000).toFixed(1).padStart(6)} s\n`);
    }
  }
  return lines.join('');
}
