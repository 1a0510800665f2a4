import { expect, test } from 'vitest';
import { stateFigures } from '../../bench/measured-states.ts';
import { type Edge, sharesOf } from '../../bench/shares.ts';
import { NO_SECONDS } from '../../bench/thread-dump.ts';

const edge = (at: number, all: number, java: number, python: number): Edge => ({
  at,
  times: { all, java, python },
});
const ENTERED = edge(1_000, 10, 0, 0);
const STARTED = edge(4_000, 15, 3, 1);
const EXITED = edge(9_000, 30, 15, 2);
const SAMPLES = [
  { at: 3_000, seconds: { ...NO_SECONDS, garbage: 50 } },
  { at: 5_000, seconds: { ...NO_SECONDS, parsing: 4, compiling: 1 } },
  { at: 8_000, seconds: { ...NO_SECONDS, working: 4, shuffling: 1 } },
  { at: 9_500, seconds: { ...NO_SECONDS, planning: 50 } },
];
const STATE = { from: ENTERED, until: EXITED };
const START = { from: ENTERED, until: STARTED };

test("the start counts as a whole; Java's time after it is divided as its samples are", () => {
  const shares = sharesOf(STATE, START, SAMPLES);
  expect(shares).toEqual({
    starting: 5,
    compiling: expect.closeTo(1.2),
    garbage: 0,
    planning: 0,
    scheduling: 0,
    parsing: expect.closeTo(4.8),
    shuffling: expect.closeTo(1.2),
    python: 1,
    rest: expect.closeTo(6.8),
  });
});

test("shares add up to the state's time", () => {
  const sum = Object.values(sharesOf(STATE, undefined, SAMPLES)).reduce((total, each) => total + each, 0);
  expect(sum).toBeCloseTo(20);
});

test('each visit of a state has its own time, memory and shares', () => {
  const run = {
    visits: [
      { name: 'PlanRun', from: edge(0, 8, 0, 0), until: ENTERED },
      { name: 'IngestEvents', ...STATE },
    ],
    start: START,
  };
  const memory = [
    { at: 500, bytes: 1 },
    { at: 2_000, bytes: 7 },
    { at: 6_000, bytes: 5 },
    { at: 9_900, bytes: 9 },
  ];
  const [plan, ingest] = stateFigures(run, memory, SAMPLES);
  expect(plan).toEqual({ name: 'PlanRun', wallSeconds: 1, cpuSeconds: 2, peakBytes: 1, shares: undefined });
  expect(ingest).toMatchObject({ name: 'IngestEvents', wallSeconds: 8, cpuSeconds: 20, peakBytes: 7 });
  expect(ingest?.shares?.starting).toBe(5);
});
