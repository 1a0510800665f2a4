/** What `churn models` and `churn score` show. */
import { beforeEach, describe, expect, it } from 'vitest';
import { modelHistory } from '../../bin/commands/models/history.ts';
import { historyText } from '../../bin/commands/models/history-text.ts';
import { decisionText } from '../../bin/commands/models/promote.ts';
import { scoresQuery } from '../../bin/commands/models/score.ts';
import { csvText, scoresJson, scoresText } from '../../bin/commands/models/score-text.ts';
import { userScore } from '../../bin/commands/models/user-score.ts';
import { userScoreText } from '../../bin/commands/models/user-score-text.ts';
import { comparisonText, type Reason } from '../../domain/features/reason-words.ts';
import { CHOICE, CURRENT, DECISION, METRIC_ROWS } from '../../domain/lake-objects.ts';
import type { AnswerRow } from '../../lambda/ports/sql.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from '../support/memory-ports.ts';
import {
  at,
  championTest,
  EVENTS,
  LAKE,
  plan,
  putResult,
  runSteps,
  SCORING,
  storeMetricsInput,
  worldOn,
} from '../support/run-fixture.ts';

describe('the history of models', () => {
  let ports: MemoryPorts;
  const history = () => modelHistory(new Lake(ports.objects, LAKE), 20);

  beforeEach(async () => {
    ports = new MemoryPorts();
    ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
    const champion = championTest({ runId: 'run-1', difference: { value: -0.4, low: -0.7, high: -0.1 } });
    for (const [runId, training] of [
      ['run-1', {}],
      ['run-2', { champion }],
    ] as const) {
      await plan(ports, runId, { force: true });
      runSteps(ports, runId, training);
      await storeMetrics(storeMetricsInput(runId), worldOn(ports));
      ports.executions.set(runId, 'SUCCEEDED');
      ports.clock.advance(3_600_000);
    }
  });

  it('says who is in charge, and for each run the rule, the figures of the model that scored, and the reason', async () => {
    const text = historyText(await history());
    expect(text).toContain(
      'The model of run run-1 is in charge.\nThe current scores are those of run run-2.',
    );
    expect(text).toMatch(
      /run run-2\n {4}scored by the model of run run-1: logistic_regression\n {4}AUC 0\.750 \(0\.690 to 0\.810\), average precision \/ base rate 3\.50\n {4}the challenger is shown to be worse: .*-0\.40 \(-0\.70 to -0\.10\)/,
    );
    expect(text).toMatch(
      /run run-1 {2}\(in charge\)\n {4}scored by its own model: boosted_trees\n {4}AUC 0\.763/,
    );
    expect(text.indexOf('run run-2\n')).toBeLessThan(text.indexOf('run run-1  (in charge)'));
  });

  it('has the decisions of people, and says when the current scores are by another model', async () => {
    const decision = {
      action: 'rollback',
      runId: 'run-1',
      before: 'run-2',
      by: 'ada',
      at: '2018-12-05T06:00:00.000Z',
      why: 'odd',
    };
    ports.objects.put(at(DECISION.of('rollback-1').key), JSON.stringify(decision));
    const current = JSON.parse(ports.objects.text(at(CURRENT.key)) ?? '{}');
    const manual = { by: 'ada', at: decision.at, why: 'odd' };
    ports.objects.put(at(CURRENT.key), JSON.stringify({ ...current, scoredUnder: 'run-2', manual }));
    const text = historyText(await history());
    expect(text).toContain('2018-12-05 06:00 UTC  ada: rollback run-1 (odd)');
    expect(text).toContain('The current scores (run run-2) are by another model: the next run scores again.');
    expect(text).toContain(
      'Promotion is manual since 2018-12-05 06:00 UTC (ada: odd), until `churn promote`.',
    );
  });

  it('reads runs of versions that recorded no choice from runs and model_metrics', async () => {
    for (const runId of ['run-1', 'run-2']) await ports.objects.remove(at(CHOICE.of(runId).key));
    const { entries } = await history();
    expect(entries).toMatchObject([
      { runId: 'run-2', rule: null, scoredBy: 'run-2', model: 'logistic_regression' },
      { runId: 'run-1', rule: null, scoredBy: 'run-1', auc: { value: 0.763 } },
    ]);
  });

  it('has the figures of all test users, and not of a part of them', async () => {
    const { key } = METRIC_ROWS.of('run-1');
    const lines = (ports.objects.text(at(key)) ?? '').trimEnd().split('\n');
    expect(lines.some((line) => line.includes('"slice":"level=free","metric":"auc"'))).toBe(true);
    ports.objects.put(at(key), lines.toReversed().join('\n'));
    const { entries } = await history();
    expect(entries).toMatchObject([{ runId: 'run-2' }, { runId: 'run-1', auc: { value: 0.763 } }]);
  });

  it('says so when no run has succeeded', async () => {
    expect(historyText(await modelHistory(new Lake(new MemoryPorts().objects, LAKE), 20))).toBe(
      'No run has succeeded yet.\n',
    );
  });
});

describe('a decision', () => {
  it('is confirmed with what happens next', () => {
    const decision = {
      action: 'rollback' as const,
      runId: 'run-1',
      before: 'run-2',
      by: 'ada',
      at: '',
      why: '',
    };
    expect(decisionText(decision, true)).toBe(
      'The model of run run-1 is in charge instead of that of run run-2.\n' +
        'Later models wait until `churn promote <run>` puts one in charge.\n' +
        'The current scores are made again by the next run: `churn start`, or the schedule.\n',
    );
    expect(decisionText({ ...decision, action: 'promote', before: 'run-1' }, false)).not.toContain('instead');
  });
});

const REASON: Reason = {
  text: '4 visits to Downgrade in 7 days, typically 0',
  feature: 'downgrade_visits_last_7_days',
  group: 'subscription',
  value: 4,
  typical: 0,
  direction: 'above',
  change: 0.53,
};

describe('the scores', () => {
  const row = (
    user: string,
    probability: string | null = '0.25',
    reasons: readonly Reason[] | null = [],
  ) => ({
    user_id: user,
    rank: '1',
    decile: '1',
    probability,
    level: 'paid',
    in_control_group: 'true',
    cutoff: '2018-12-03',
    run_id: 'run-1',
    reason_details: reasons === null ? null : JSON.stringify(reasons),
  });

  it('are asked of one run, in order, and limited', () => {
    expect(scoresQuery("run'1", 5)).toMatch(/WHERE run_id = 'run''1' ORDER BY "rank", user_id LIMIT 5$/);
    expect(scoresQuery('run-1', undefined)).not.toContain('LIMIT');
  });

  it('are shown with percentages, the control group marked, and withheld probabilities named', () => {
    expect(scoresText('run-1', [row('42')])).toMatch(
      /1 +1 +42 +25\.0% +paid +do not contact +nothing stands out/,
    );
    expect(scoresText('run-1', [row('42', null)])).toContain('withheld');
    expect(scoresText('run-1', [row('4\u001b[2J')])).toContain('4?[2J');
    expect(scoresText('run-1', [{ ...row('42'), rank: null }])).toMatch(
      /^No model is in charge of the scores of run run-1/,
    );
  });

  it('come with the reasons, where it was asked for them', () => {
    expect(scoresText('run-1', [row('42', '0.25', [REASON, REASON])])).toContain(
      'do not contact  4 visits to Downgrade in 7 days, typically 0; 4 visits to',
    );
    expect(scoresText('run-1', [row('42', '0.25', null)])).not.toContain('stands out');
    expect(JSON.parse(scoresJson('run-1', [row('42', '0.25', [REASON]), row('43', null, null)]))).toEqual({
      runId: 'run-1',
      users: [
        {
          userId: '42',
          rank: 1,
          decile: 1,
          probability: 0.25,
          level: 'paid',
          inControlGroup: true,
          reasons: [REASON],
        },
        expect.objectContaining({ userId: '43', probability: null, reasons: null }),
      ],
    });
  });

  it('become CSV in which no cell is a formula', () => {
    const head = 'user_id,rank,decile,probability,level,in_control_group,reasons,cutoff,run_id\r\n';
    const end = 'nothing stands out,2018-12-03,run-1\r\n';
    expect(csvText([row('=1+1'), row('a,"b"'), row('-5', '0.25', [REASON])])).toBe(
      `${head}'=1+1,1,1,0.25,paid,true,${end}"a,""b""",1,1,0.25,paid,true,${end}` +
        `'-5,1,1,0.25,paid,true,"4 visits to Downgrade in 7 days, typically 0",2018-12-03,run-1\r\n`,
    );
    expect(csvText([])).toBe(head);
  });
});

describe("one user's score", () => {
  const stored = {
    user_id: '42',
    rank: '7',
    decile: '1',
    probability: '0.25',
    level: 'paid',
    in_control_group: 'false',
    reason_details: '[]',
  };
  const features = {
    songs_per_day: '12.345',
    downgrade_visits_last_7_days: null,
    paid_adverts_half_life_56: '3',
    paid_songs_half_life_56: '60',
  };
  let ports: MemoryPorts;
  let asked: string[];
  const answering =
    (row: AnswerRow | undefined) =>
    async (sql: string): Promise<readonly AnswerRow[]> => {
      asked.push(sql);
      if (sql.includes(' FROM scoring_features ')) return [features];
      return row === undefined ? [] : [row];
    };
  const scoreOf = (row: AnswerRow | undefined) =>
    userScore({ lake: new Lake(ports.objects, LAKE), query: answering(row) }, "o'x");

  beforeEach(async () => {
    ports = new MemoryPorts();
    asked = [];
    ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
    await plan(ports, 'run-1');
    runSteps(ports, 'run-1', {
      importance: [
        { feature: 'paid_adverts_half_life_56', share: 0.6 },
        { feature: 'songs_per_day', share: 0.4 },
      ],
    });
    putResult(ports, 'run-1', 'score-users', {
      ...SCORING,
      typical: [
        { feature: 'downgrade_visits_last_7_days', free: 1, paid: 0 },
        { feature: 'songs_per_day', free: 5, paid: 20 },
        { feature: 'paid_adverts_half_life_56', free: null, paid: 0.004 },
      ],
    });
    await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
  });

  it('says the reasons, of one run and of one user', async () => {
    const score = await scoreOf({ ...stored, reason_details: JSON.stringify([REASON]) });
    expect(userScoreText(score)).toBe(
      'User 42 in run run-1: probability 25.0%, rank 7, decile 1\nLevel: paid\n' +
        'What raises the score:\n  4 visits to Downgrade in 7 days, typically 0\n',
    );
    expect(score).toMatchObject({ runId: 'run-1', reasons: [REASON], values: [] });
    expect(asked).toEqual(["SELECT * FROM scores WHERE run_id = 'run-1' AND user_id = 'o''x'"]);
  });

  it.each([
    ['[]', 'What raises the score: nothing stands out.'],
    [null, 'Reasons were not asked for: they are for those most at risk.'],
  ])('without reasons (%s) says the values beside the typical ones of the level', async (details, why) => {
    const score = await scoreOf({ ...stored, reason_details: details });
    expect(score.values).toEqual([
      { feature: 'paid_adverts_half_life_56', value: 0.05, typical: 0.004 },
      { feature: 'songs_per_day', value: 12.345, typical: 20 },
      { feature: 'downgrade_visits_last_7_days', value: null, typical: 0 },
    ]);
    expect(userScoreText(score).split('\n').slice(2)).toEqual([
      why,
      'The values that the model looks at most, beside those typical of the level:',
      '  0.05 adverts per paid song, typically 0.004',
      '  12.3 songs per day, typically 20',
      '  Visits to Downgrade, last 7 days: unknown, typically 0',
      '',
    ]);
  });

  it('of a version that stored no typical values says so', async () => {
    putResult(ports, 'run-1', 'score-users', SCORING);
    const { reason_details: _, ...older } = stored;
    expect(userScoreText(await scoreOf(older))).toContain('Typical values are not stored with this run.');
  });

  it('is refused for a user who is not scored', async () => {
    await expect(scoreOf(undefined)).rejects.toThrow(/^Run run-1 has no score of the user o'x: only users/);
  });
});

describe('a value beside the typical one', () => {
  it.each<[string, number | null, number | null, string]>([
    ['downgrade_visits_last_7_days', 1, 0, '1 visit to Downgrade in 7 days, typically 0'],
    ['downgrade_visits_last_7_days', 1_234, 12, '1,234 visits to Downgrade in 7 days, typically 12'],
    ['songs_per_day', 20.04, 20.01, '20 songs per day, a little more than typical'],
    ['songs_per_day', 20.01, 20.04, '20 songs per day, a little less than typical'],
    ['songs_per_day', 20, 20, '20 songs per day, as is typical'],
    ['songs_trend', 0.4, 1, "0.4 times the month's songs per day in the last week, typically 1"],
    ['days_since_level_change', null, 12.5, 'Days since change of level: never, typically 12.5'],
    ['days_since_level_change', 3.25, null, '3.25 days since the last change of level, typically never'],
    ['on_mac', 1, 0, 'Uses a Mac: yes, typically no'],
    ['is_female', null, 1, 'Registered as female: unknown, typically yes'],
    [
      'thumbs_down_per_song_last_28_days',
      0.012345,
      0.1,
      '0.0123 thumbs down per song in 28 days, typically 0.1',
    ],
    ['of a later version', 2, 1, '2 of a later version, typically 1'],
  ])('of %s: %s and %s', (feature, value, typical, text) => {
    expect(comparisonText(feature, value, typical)).toBe(text);
  });
});
