/**
 * A run in one breath: one sentence each on what to expect, what it is worth, whether to believe it, what changed, and
 * what is wrong with the data. In words that need no glossary; the page and the terminal show the same.
 */

import { checkCalibration } from '../../domain/calibration-check.ts';
import { expectedInterval } from '../../domain/expected-interval.ts';
import { breakEven, listOf } from '../../domain/money.ts';
import { nothingLearnt } from '../../domain/nothing-learnt.ts';
import type { RunDetail } from '../../domain/records.ts';
import { scoringEvaluation } from '../../domain/scoring-evaluation.ts';
import { contactData, whyNoList } from './contact-data.ts';
import { money, percentText } from './figures-text.ts';
import { counted, day, percent, whole } from './format.ts';
import { type PastRun, runBefore } from './history.ts';

export interface Sentence {
  readonly about: 'expected' | 'worth' | 'trust' | 'change' | 'data';
  readonly text: string;
  /** Something a reader should act on or beware of. */
  readonly isWarning: boolean;
}

/** @param history the runs before, the oldest first; without them nothing is said about what changed */
export function breathOf(
  detail: RunDetail,
  history: readonly PastRun[],
  dataWarnings: readonly string[],
): readonly Sentence[] {
  return [
    expected(detail),
    worth(detail),
    trust(detail),
    ...change(detail, history),
    data(detail, dataWarnings),
  ];
}

function expected(detail: RunDetail): Sentence {
  const { scoring, plan } = detail;
  const { users, expectedCancellations } = scoring;
  const nothing = nothingLearnt(detail);
  if (expectedCancellations === 0 && nothing !== undefined)
    return { about: 'expected', isWarning: true, text: `${nothing}.` };
  const [low, high] = expectedInterval(detail);
  const share = percent(users === 0 ? 0 : expectedCancellations / users);
  return {
    about: 'expected',
    isWarning: false,
    text:
      `About ${whole(expectedCancellations)} of your ${counted(users, 'user')} (${share}) will probably cancel in the ` +
      `${counted(plan.training.horizonDays, 'day')} from ${day(scoring.cutoff)}: by chance, and by how far predictions were off ` +
      `on the test cutoffs, it may be ${whole(low)} to ${whole(high)}.`,
  };
}

function worth(detail: RunDetail): Sentence {
  const why = whyNoList(detail);
  if (why !== undefined) {
    return {
      about: 'worth',
      isWarning: true,
      text: `There is nobody to contact by these scores, because ${why}.`,
    };
  }
  const { bins, terms, total } = contactData(detail);
  const list = listOf(bins, terms);
  const share = total === null || total === 0 ? '' : ` (${percentText(list.users / total)})`;
  const conditions = `an offer of ${money(terms.offerCost)} and customers worth ${money(terms.customerValue)}`;
  if (list.users === 0) {
    return {
      about: 'worth',
      isWarning: true,
      text: `With ${conditions} nobody is worth a contact: no user reaches the ${percentText(breakEven(terms))} from which it pays.`,
    };
  }
  return {
    about: 'worth',
    isWarning: false,
    text:
      `Contacting ${list.users === 1 ? 'the user' : `the ${whole(list.users)} users`} most likely to cancel${share} is ` +
      `expected to earn ${money(list.profit)}, with ${conditions}.`,
  };
}

function trust(detail: RunDetail): Sentence {
  const { record, training, choice } = detail;
  const auc = scoringEvaluation(detail)?.metrics.auc;
  const reason = record.promotion_reason ?? 'no reason was recorded';
  if (training !== null && !training.reliable && (choice === undefined || choice.scorer === null)) {
    const nothing = nothingLearnt(detail);
    return {
      about: 'trust',
      isWarning: true,
      text:
        nothing === undefined
          ? `Do not trust this model yet: ${training.reliabilityReason}.`
          : 'There is no model to trust: all users have the same score.',
    };
  }
  const skill =
    auc === undefined
      ? ''
      : ` Of one user who cancelled and one who stayed, it picked the right one in ${percent(auc.value)} of cases${
          auc.low === null || auc.high === null ? '' : ` (${percent(auc.low)} to ${percent(auc.high)})`
        }.`;
  if (choice !== undefined && choice.scorer !== null && !choice.challengerScores) {
    return {
      about: 'trust',
      isWarning: choice.list !== 'yes',
      text: `Scored by the champion: ${reason}.${skill}`,
    };
  }
  if (record.promoted !== true)
    return {
      about: 'trust',
      isWarning: true,
      text: `The model of this run is not in charge: ${reason}.${skill}`,
    };
  const doubt = levelDoubt(detail);
  return doubt === undefined
    ? {
        about: 'trust',
        isWarning: false,
        text: `The model of this run is trusted and in charge: ${reason}.${skill}`,
      }
    : {
        about: 'trust',
        isWarning: true,
        text: `The model of this run is in charge, and its order of users is trusted: ${reason}.${skill} ${doubt}`,
      };
}

/** Why the probabilities of the model that scored should be read with care; undefined if the test rows bear them out. */
function levelDoubt(detail: RunDetail): string | undefined {
  const evaluation = scoringEvaluation(detail);
  if (evaluation === undefined) return undefined;
  const { predictedObserved, contradicted } = checkCalibration(evaluation.curve ?? []);
  if (contradicted.length === 0) return undefined;
  const level =
    predictedObserved === undefined || !contradicted.includes('predicted_observed')
      ? ''
      : `: for each user who cancelled, it had predicted ${predictedObserved.value.toFixed(2)}`;
  return `Read its probabilities with care, and what a contact earns by them${level}.`;
}

function change({ record, scoring }: RunDetail, history: readonly PastRun[]): readonly Sentence[] {
  const before = runBefore(history, record);
  if (before === undefined) {
    return [
      {
        about: 'change',
        isWarning: false,
        text: 'This is the first run that succeeded, so there is nothing to compare it with.',
      },
    ];
  }
  const ratio = (run: PastRun | undefined): number | undefined => run?.metrics.average_precision_ratio?.value;
  const own = ratio(history.find((run) => run.record.run_id === record.run_id));
  const past = ratio(before);
  const users =
    record.users === null || before.record.users === null ? undefined : record.users - before.record.users;
  const parts = [
    ...(users === undefined
      ? []
      : [
          users === 0
            ? 'as many users are known'
            : `${whole(Math.abs(users))} ${users > 0 ? 'more' : 'fewer'} users are known`,
        ]),
    ...(own === undefined || past === undefined
      ? []
      : [
          `the ranking is ${own.toFixed(2)} times as good as chance, after ${past.toFixed(2)}, each on its own test days`,
        ]),
    `the scores are as of ${day(scoring.cutoff)}`,
  ];
  return [
    {
      about: 'change',
      isWarning: false,
      text: `Since the run before, of ${day(before.record.ended_at.slice(0, 10))}: ${parts.join('; ')}.`,
    },
  ];
}

function data({ ingest }: RunDetail, dataWarnings: readonly string[]): Sentence {
  const { read } = ingest.counts;
  const [first, ...others] = dataWarnings;
  if (first !== undefined) {
    const more =
      others.length === 0
        ? ''
        : ` There ${others.length === 1 ? 'is' : 'are'} ${counted(others.length, 'more remark')} below.`;
    return { about: 'data', isWarning: true, text: `${first}${more}` };
  }
  return {
    about: 'data',
    isWarning: false,
    text:
      read === 0
        ? 'No new rows were read; the data of earlier runs were used.'
        : `Nothing is wrong with the data: all counts of the ${whole(read)} rows agree.`,
  };
}
