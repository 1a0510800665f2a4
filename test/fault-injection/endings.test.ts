/**
 * Injects every fault into every state of the definition that would be deployed, with the rule's event delivered,
 * delivered twice during a sweep, or lost. After each run: no cluster, one notification, the lease released, a record.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunRecord } from '../../domain/records.ts';
import type { Ending } from '../../local/interpreter/interpreter.ts';
import { complaints, recordOf } from '../support/fault-assertions.ts';
import { FAULTS, type Fault, type Moment } from '../support/fault-kinds.ts';
import { inSetting, type Place, placesOf, worldOf } from '../support/fault-settings.ts';
import type { FaultWorld } from '../support/fault-world.ts';

// Rendering the page takes longer than everything else together and cannot fail a run in a way that differs.
vi.mock('../../lambda/render-report/page.ts', () => ({ reportPage: async () => '<html></html>' }));

const RUN = 'run-1';
const DELIVERIES = ['delivered', 'delivered twice and swept at once', 'lost'] as const;
/** Number of concurrent executions: enough to wait for retries together, few enough for time-outs to be met. */
const TOGETHER = 60;

interface Case {
  readonly place: Place;
  readonly fault: Fault;
  readonly moment: Moment;
  readonly delivery: (typeof DELIVERIES)[number];
}

interface Outcome {
  readonly one: Case;
  readonly ending: Ending;
  readonly record: RunRecord | undefined;
  readonly complaints: readonly string[];
}

/** @param tries how often the run has timed out before it reached the state */
async function outcomeOf(one: Case, tries = 0): Promise<Outcome> {
  const { place, fault, moment } = one;
  const world = await worldOf(place.setting);
  let fired = false;
  const ending = await world.run({
    runId: RUN,
    ...(place.setting.request === undefined ? {} : { request: place.setting.request }),
    ...(fault.redefine === undefined ? {} : { definition: fault.redefine(place, tries) }),
    onTask: inSetting(place.setting, (call) => {
      if (call.state !== place.state || fault.onTask === undefined) return call.work();
      fired = true;
      return fault.onTask({ ...call, place, moment, world, runId: RUN });
    }),
    onState: (event, abort) => {
      if (event.state === place.state && fault.onTask === undefined) fired = true;
      fault.onState?.(event, abort, place);
    },
  });
  if (!fired && ending.status === 'TIMED_OUT' && tries < 2) return outcomeOf(one, tries + 1);
  const wrong = await closedAfter(world, ending, one);
  const record = recordOf(world, RUN);
  return { one, ending, record, complaints: fired ? wrong : [...wrong, 'the fault was never injected'] };
}

async function closedAfter(
  world: FaultWorld,
  ending: Ending,
  { place, delivery }: Pick<Case, 'place' | 'delivery'>,
): Promise<readonly string[]> {
  if (delivery !== 'lost') {
    const event = (): Promise<void> => world.deliverEvent(RUN, ending);
    if (delivery === 'delivered') await event();
    else await Promise.all([event(), event(), world.sweep()]);
    // After a success there is no event, and a run that verifies has no StoreMetrics, which looks for clusters that a retry left.
    const isSwept = place.setting.request?.verify !== undefined && ending.status === 'SUCCEEDED';
    const wrong = isSwept ? [] : complaints(world, RUN, ending);
    if (wrong.length > 0) return wrong;
  }
  // A sweep that has nothing to close must not change anything either.
  await world.sweep();
  return complaints(world, RUN, ending);
}

async function outcomesOf(cases: readonly Case[]): Promise<readonly Outcome[]> {
  const left = [...cases];
  const outcomes: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) outcomes.push(await outcomeOf(one));
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  return outcomes;
}

const titleOf = ({ place, fault, moment, delivery }: Case): string =>
  `${place.state} where ${place.setting.name}: ${fault.name} ${moment} its work, event ${delivery}`;

/** Rows: states; columns: faults; a cell counts the variants that were survived. */
function tableOf(outcomes: readonly Outcome[]): string {
  const states = [...new Set(outcomes.map(({ one }) => one.place.state))];
  const cell = (state: string, { name }: Fault): string => {
    const cases = outcomes.filter(({ one }) => one.place.state === state && one.fault.name === name);
    const lost = cases.filter((outcome) => outcome.complaints.length > 0).length;
    if (cases.length === 0) return '';
    return lost === 0 ? `yes (${cases.length})` : `NO (${lost} of ${cases.length})`;
  };
  const rows = [['', ...FAULTS.map(({ name }) => name)]];
  for (const state of states) rows.push([state, ...FAULTS.map((fault) => cell(state, fault))]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | '))
    .join('\n');
}

describe('a run survives', () => {
  let outcomes: readonly Outcome[] = [];

  beforeAll(async () => {
    const places = await placesOf();
    const cases = places.flatMap((place) =>
      FAULTS.filter((fault) => fault.appliesTo(place)).flatMap((fault) =>
        fault.moments.flatMap((moment) => DELIVERIES.map((delivery) => ({ place, fault, moment, delivery }))),
      ),
    );
    outcomes = await outcomesOf(cases);
    console.log(`States and faults, survived or not (variants):\n${tableOf(outcomes)}`);
  });

  it.each(FAULTS)('$name, in whichever state it occurs', ({ name }) => {
    const met = outcomes.filter(({ one }) => one.fault.name === name);
    expect(met.length).toBeGreaterThan(0);
    const lost = met
      .filter(({ complaints: wrong }) => wrong.length > 0)
      .map(({ one, ending, complaints: wrong }) => `${titleOf(one)} (${ending.status}): ${wrong.join('; ')}`);
    expect(lost).toEqual([]);
  });

  it('temporary throttling, and succeeds as if there had been none', () => {
    const throttled = outcomes.filter(
      ({ one }) =>
        one.fault.name === 'throttled temporarily' && one.place.setting.name === 'there are new files',
    );
    expect(throttled.length).toBeGreaterThan(0);
    expect(
      throttled.filter(({ ending }) => ending.status !== 'SUCCEEDED').map(({ one }) => titleOf(one)),
    ).toEqual([]);
  });

  it('a failed task, and its record names the state', () => {
    const failed = outcomes.filter(
      ({ one, record }) =>
        one.fault.name === 'task failed' &&
        one.moment === 'before' &&
        record?.status === 'FAILED' &&
        one.place.setting.failing === undefined,
    );
    expect(failed.length).toBeGreaterThan(0);
    const misplaced = failed
      .filter(({ one, record }) => !(record?.error ?? '').split(':')[0]?.includes(one.place.state))
      .map(({ one, record }) => `${titleOf(one)}: ${record?.error}`);
    expect(misplaced).toEqual([]);
  });
});
