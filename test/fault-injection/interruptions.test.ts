/** Lambdas that die, or whose run is aborted and closed, between any two of their calls. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { complaints } from '../support/fault-assertions.ts';
import { dying, pausing } from '../support/fault-ports.ts';
import { inSetting, type Place, placesOf, worldOf } from '../support/fault-settings.ts';
import { FaultWorld } from '../support/fault-world.ts';

// Rendering the page takes longer than everything else together and cannot fail a run in a way that differs.
vi.mock('../../lambda/render-report/page.ts', () => ({ reportPage: async () => '<html></html>' }));

const RUN = 'run-1';
const DELIVERIES = ['delivered', 'lost'] as const;
type Delivery = (typeof DELIVERIES)[number];

const titleOf = ({ state, setting }: Place): string => `${state} where ${setting.name}`;

describe('a Lambda that dies between two of its calls', () => {
  let tried: readonly string[] = [];
  let wrong: readonly string[] = [];

  beforeAll(async () => {
    const places = (await placesOf()).filter(({ kind }) => kind === 'lambda:invoke');
    const outcomes = await Promise.all(
      places.flatMap((place) =>
        (['once', 'at every attempt'] as const).flatMap((times) =>
          DELIVERIES.map((delivery) => forEachCall((at) => dies(place, at, times, delivery))),
        ),
      ),
    );
    tried = outcomes.flatMap((outcome) => outcome.tried);
    wrong = outcomes.flatMap((outcome) => outcome.wrong);
    console.log(`Lambdas died in ${tried.length} places; all but ${wrong.length} were survived`);
  });

  it('leaves its run closed, or is completed by a retry', () => {
    expect(tried.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });
});

describe('a Lambda that continues after its run was aborted and closed', () => {
  it('keeps no lease or cluster, and changes no record', async () => {
    const places = (await placesOf()).filter(({ kind }) => kind === 'lambda:invoke');
    const outcomes = await Promise.all(
      places.flatMap((place) =>
        DELIVERIES.map((delivery) => forEachCall((at) => isOvertaken(place, at, delivery))),
      ),
    );
    expect(outcomes.flatMap(({ tried }) => tried).length).toBeGreaterThan(50);
    expect(outcomes.flatMap(({ wrong }) => wrong)).toEqual([]);
  });
});

describe('close-run that dies between two of its calls', () => {
  it.each(['event', 'sweep'] as const)(
    'leaves the rest to the next sweep (called by the %s)',
    async (caller) => {
      const { tried, wrong } = await forEachCall((at) => closerDies(at, caller));
      expect(tried.length).toBeGreaterThan(10);
      expect(wrong).toEqual([]);
    },
  );
});

/** The result of one interruption; undefined if the Lambda made fewer calls. */
interface Interrupted {
  readonly title: string;
  readonly complaints: readonly string[];
}

/** Tries the first call, the second, and so on, until there are no more. */
async function forEachCall(interrupt: (at: number) => Promise<Interrupted | undefined>) {
  const tried: string[] = [];
  const wrong: string[] = [];
  for (let first = 1; ; first += TOGETHER) {
    const calls = Array.from({ length: TOGETHER }, (_, index) => first + index);
    const outcomes = await Promise.all(calls.map(interrupt));
    for (const outcome of outcomes) {
      if (outcome === undefined) return { tried, wrong };
      tried.push(outcome.title);
      if (outcome.complaints.length > 0) wrong.push(`${outcome.title}: ${outcome.complaints.join('; ')}`);
    }
  }
}
const TOGETHER = 12;

async function dies(
  place: Place,
  at: number,
  times: 'once' | 'at every attempt',
  delivery: Delivery,
): Promise<Interrupted | undefined> {
  const world = await worldOf(place.setting);
  let calls: readonly string[] = [];
  const ending = await world.run({
    runId: RUN,
    onTask: inSetting(place.setting, async ({ state, attempt, work }) => {
      if (state !== place.state || (times === 'once' && attempt > 1)) return work();
      const { ports, counter } = dying(world.ports, at);
      try {
        return await work(ports);
      } finally {
        if (attempt === 1) calls = counter.calls;
      }
    }),
  });
  if (calls.length < at) return undefined;
  if (delivery === 'delivered') await world.deliverEvent(RUN, ending);
  else await world.sweep();
  const title = `${titleOf(place)} dies ${times} before ${calls[at - 1]}, event ${delivery}`;
  return { title, complaints: complaints(world, RUN, ending) };
}

async function isOvertaken(place: Place, at: number, delivery: Delivery): Promise<Interrupted | undefined> {
  const world = await worldOf(place.setting);
  const { ports, counter, paused, resume } = pausing(world.ports, at);
  let lambda: Promise<unknown> = Promise.resolve();
  const ending = await world.run({
    runId: RUN,
    onTask: inSetting(place.setting, async ({ state, work, abort }) => {
      if (state !== place.state) return work();
      const answer = work(ports);
      // Its answer or error is lost once its run has ended.
      lambda = answer.catch(() => undefined);
      await Promise.race([paused, lambda]);
      if (counter.calls.length < at) return answer;
      abort();
      return null;
    }),
  });
  if (counter.calls.length < at) return undefined;
  if (delivery === 'delivered') await world.deliverEvent(RUN, ending);
  else await world.sweep();
  resume();
  await lambda;
  await world.sweep();
  const title = `${titleOf(place)} is overtaken before ${counter.calls[at - 1]}, event ${delivery}`;
  return { title, complaints: complaints(world, RUN, ending) };
}

async function closerDies(at: number, caller: 'event' | 'sweep'): Promise<Interrupted | undefined> {
  const world = new FaultWorld();
  const ending = await world.run({
    runId: RUN,
    onTask: async ({ state, work, abort }) => {
      const answer = await work();
      if (state === 'BuildFeatures') abort();
      return answer;
    },
  });
  const { ports, counter } = dying(world.ports, at);
  const closing = caller === 'event' ? world.deliverEvent(RUN, ending, ports) : world.sweep(ports);
  await closing.catch(() => undefined);
  if (counter.calls.length < at) return undefined;
  await world.sweep();
  const title = `close-run called by the ${caller} dies before ${counter.calls[at - 1]}`;
  return { title, complaints: complaints(world, RUN, ending) };
}
