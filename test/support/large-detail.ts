/**
 * A run of a service with two million users and a log of three years: everything that a report can hold, at its largest. What
 * the steps write does not grow with the users, but for the numbers themselves: it holds histograms, curves of at most 200
 * points and the users most at risk. What grows with the age of the log has three years of it here.
 */
import { LEADING_FEATURES, RANGE_BANDS } from '../../domain/drivers.ts';
import { DEVICES, TENURE_BANDS } from '../../domain/exploration.ts';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_GROUPS } from '../../domain/features/measure.ts';
import { comparisonText, REASON_WORDS } from '../../domain/features/reason-words.ts';
import { PROBABILITY_BINS, TOP_USERS } from '../../domain/models.ts';
import { outcomeRows } from '../../domain/outcomes.ts';
import type { TrainedDetail } from '../../domain/records.ts';
import type { Exploration, SurvivalCurve, TrainingResult } from '../../domain/results.ts';
import { EVENT_SOURCES, SOURCE_DAYS, USER_SOURCES } from '../../domain/sources.ts';
import { TASK_STATES } from '../../domain/states.ts';
import { addDays } from '../../domain/time.ts';
import { US_STATES } from '../../domain/us-states.ts';

const USERS = 2_000_000;
const DAYS = 1_095;
const FIRST_DAY = '2015-12-05';
const CURVE_POINTS = 200;
const PAST_CUTOFFS = 24;
/** Runs that a report shows at most. */
const RUNS = 400;

const many = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
/** A share that looks like a measured one. */
const uneven = (index: number): number => 0.01 + ((index * 7_919) % 9_973) / 99_730;

export function largeDetail(detail: TrainedDetail): TrainedDetail {
  return {
    ...detail,
    features: {
      ...detail.features,
      ...{ users: USERS, cancellations: 400_000, firstDay: FIRST_DAY, observedDays: DAYS },
      observationEnd: addDays(FIRST_DAY, DAYS),
      days: many(DAYS, (index) => ({
        day: addDays(FIRST_DAY, index),
        events: 30_000_000 + 1_000_003 * (index % 7),
      })).filter((_, index) => index % 90 !== 13),
      sources: {
        days: many(SOURCE_DAYS, (index) => ({
          day: addDays(FIRST_DAY, DAYS - SOURCE_DAYS + index),
          events: 30_000_000 + index,
          users: 600_000 + index,
        })),
        counts: [...EVENT_SOURCES, ...USER_SOURCES].map(({ kind, name }, of) => ({
          ...{ kind, name },
          counts: many(SOURCE_DAYS, (index) => Math.round(3_000_000 * uneven(of + index))),
        })),
      },
    },
    training: training(detail.training),
    scoring: {
      ...detail.scoring,
      ...{ users: USERS, expectedCancellations: 88_123.4 },
      top: many(TOP_USERS, (index) => ({
        userId: `user-${String(10_000_000 + index * 7)}`,
        probability: 0.9 * 0.9995 ** index,
        level: index % 3 === 0 ? 'paid' : 'free',
        inControlGroup: index % 20 === 7,
        reasons: many(3, (at) => comparisonText(inputOf(7 * index + at), (index % 90) + 0.123, 0.31)),
      })),
      probabilities: many(PROBABILITY_BINS, (bin) => ({
        bin,
        users: Math.round(USERS / 3 / (bin + 100)),
        expected: (USERS / 3 / (bin + 100)) * ((bin + 0.5) / PROBABILITY_BINS),
        control: 57,
      })),
      drift: {
        score: 0.031,
        features: FEATURES.map(({ name }, index) => ({ feature: name, psi: 3 * uneven(index) })),
      },
      segments: null,
    },
    outcomes: {
      past: many(RUNS, (index) => ({
        ...{
          runId: `run-1-${RUNS - index}`,
          users: USERS,
          predicted: 88_000.5 + index,
          observed: 87_000 + 31 * (index % 60),
        },
        ...{
          cutoff: addDays(FIRST_DAY, DAYS - RUNS - 14 + index),
          horizonEnd: addDays(FIRST_DAY, DAYS - RUNS + index),
        },
      })),
      newest: [
        ...outcomeRows(
          {
            ...{
              runId: 'run-1-14',
              cutoff: addDays(FIRST_DAY, DAYS - 14),
              horizonEnd: addDays(FIRST_DAY, DAYS),
            },
            groups: many(10, (index) => ({
              ...{ decile: index + 1, inControlGroup: false, worthContacting: index < 2 },
              ...{
                users: USERS / 10,
                predicted: 40_000.5 / (index + 1),
                observed: Math.round(41_000 / (index + 1)),
              },
            })),
          },
          'run-1',
        ),
      ],
    },
    states: TASK_STATES.map((name, index) => ({ name, seconds: 60 * (index + 1), usd: 0.31 * index })),
  };
}

function training(small: TrainingResult): TrainingResult {
  const [sample] = small.homogeneity?.samples ?? [];
  return {
    ...small,
    ...{ trainRows: 8_000_000, trainCancellations: 350_000, testRows: 1_900_000, testCancellations: 83_000 },
    evaluations: small.evaluations.map((evaluation) => ({
      ...evaluation,
      curve: many(CURVE_POINTS, (index) => ({
        predicted: 0.7 * 0.97 ** index,
        users: USERS / CURVE_POINTS,
        cancelled: Math.round((USERS / CURVE_POINTS) * 0.7 * 0.97 ** index),
      })),
    })),
    past: many(PAST_CUTOFFS, (index) => ({
      ...(small.past[0] ?? noPast()),
      cutoff: addDays(FIRST_DAY, DAYS - 28 - 5 * index),
    })),
    exploration: small.exploration === null ? null : exploration(small.exploration),
    drivers: {
      ...{ users: 5_000, auc: 0.763 },
      groups: FEATURE_GROUPS.map(({ name }, index) => ({ group: name, ...fall(index) })),
      features: FEATURES.slice(0, LEADING_FEATURES).map(({ name }, index) => ({
        ...{ feature: name, ...fall(index), correlation: 0.31 },
        bands: many(RANGE_BANDS, (band) => ({
          ...{ lowest: band + 0.123, highest: band + 0.987 },
          ...{ users: 190_000, cancelled: 8_000 + 700 * band, predicted: 8_100.5 + 690 * band },
        })),
      })),
    },
    homogeneity:
      small.homogeneity === null || sample === undefined
        ? null
        : {
            users: 20_000,
            samples: small.homogeneity.samples.map((one) => ({
              ...one,
              differences: FEATURES.map(({ name }, index) => ({
                ...{ feature: name, test: 'kolmogorov_smirnov', distance: uneven(index), pValue: 0.2 },
                ...{ adjusted: 1, smallestFound: 0.119 },
              })),
            })),
          },
  };
}

function exploration(small: Exploration): Exploration {
  const group = (variable: Exploration['groups'][number]['variable'], value: string, index: number) => ({
    ...{ variable, value },
    churned: Math.round(40_000 * uneven(index)),
    stayed: 40_000,
  });
  return {
    ...small,
    groups: [
      ...small.groups.filter(({ variable }) => variable === 'level' || variable === 'gender'),
      ...DEVICES.map(({ value }, index) => group('device', value, index)),
      ...TENURE_BANDS.map(({ value }, index) => group('tenure', value, index)),
      ...[...US_STATES.keys()].map((value, index) => group('state', value, index)),
    ],
    survival: [
      curve('all', 'all', 2 * DAYS),
      curve('level', 'free', 2 * DAYS),
      curve('level', 'paid', 2 * DAYS),
      ...many(Math.floor(DAYS / 7), (week) => curve('joined', addDays(FIRST_DAY, 7 * week), DAYS - 7 * week)),
      curve('joined', 'before the log', 2 * DAYS),
    ],
  };
}

/** On every day somebody cancels. */
function curve(grouping: SurvivalCurve['grouping'], value: string, days: number): SurvivalCurve {
  return {
    ...{ grouping, value, users: USERS },
    points: many(days, (index) => {
      const survival = Number((0.999 ** (index + 1)).toFixed(6));
      return {
        ...{ day: index + 1, atRisk: USERS - index, cancelled: 317, survival },
        low: survival * 0.991,
        high: Math.min(1, survival * 1.009),
      };
    }),
  };
}

const fall = (index: number) => ({ fall: uneven(index), least: 0.001, most: 0.2 });

const INPUTS = Object.keys(REASON_WORDS);

function inputOf(index: number): string {
  return INPUTS[index % INPUTS.length] ?? '';
}

function noPast(): never {
  throw new Error('the fixture has a past cutoff');
}
