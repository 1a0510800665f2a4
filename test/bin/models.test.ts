/** What `churn models` and `churn score` show. */
import { beforeEach, describe, expect, it } from 'vitest';
import { modelHistory } from '../../bin/commands/models/history.ts';
import { historyText } from '../../bin/commands/models/history-text.ts';
import { decisionText } from '../../bin/commands/models/promote.ts';
import { scoresQuery } from '../../bin/commands/models/score.ts';
import { csvText, scoresText } from '../../bin/commands/models/score-text.ts';
import { CHOICE, CURRENT, DECISION } from '../../domain/lake-objects.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from '../support/memory-ports.ts';
import {
  at,
  championTest,
  EVENTS,
  LAKE,
  plan,
  runSteps,
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

describe('the scores', () => {
  const row = (user: string, probability: string | null = '0.25') => ({
    user_id: user,
    rank: '1',
    decile: '1',
    probability,
    level: 'paid',
    in_control_group: 'true',
  });

  it('are asked of one run, in order, and limited', () => {
    expect(scoresQuery("run'1", 5)).toMatch(/WHERE run_id = 'run''1' ORDER BY "rank", user_id LIMIT 5$/);
    expect(scoresQuery('run-1', undefined)).not.toContain('LIMIT');
  });

  it('are shown with percentages, the control group marked, and withheld probabilities named', () => {
    expect(scoresText('run-1', [row('42')])).toMatch(/1 +1 +42 +25\.0% +paid +do not contact/);
    expect(scoresText('run-1', [row('42', null)])).toContain('withheld');
    expect(scoresText('run-1', [row('4\u001b[2J')])).toContain('4?[2J');
    expect(scoresText('run-1', [{ ...row('42'), rank: null }])).toMatch(
      /^No model is in charge of the scores of run run-1/,
    );
  });

  it('become CSV in which no cell is a formula', () => {
    expect(csvText([row('=1+1'), row('a,"b"'), row('-5')])).toBe(
      'user_id,rank,decile,probability,level,in_control_group\r\n' +
        "'=1+1,1,1,0.25,paid,true\r\n" +
        '"a,""b""",1,1,0.25,paid,true\r\n' +
        '-5,1,1,0.25,paid,true\r\n',
    );
    expect(csvText([])).toBe('rank,decile,user_id,probability,level,in_control_group\r\n');
  });
});
