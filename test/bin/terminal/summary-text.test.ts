import { describe, expect, it } from 'vitest';
import { summaryText } from '../../../bin/terminal/summary-text.ts';
import { isSuccess, type RunSummary } from '../../../local/run/run-summary.ts';

const succeeded = {
  status: 'SUCCEEDED',
  runId: 'local-1',
  counts: { read: 1_234_567, accepted: 1_234_500, quarantined: 60, duplicates: 7 },
  lake: { events: 2_234_490, files: 61 },
  changes: { before: 1_000_000, takenAway: 12, returned: 2, after: 2_234_490 },
  users: 2_481,
  scored: 1_944,
  cancellations: 537,
  model: {
    name: 'boosted_trees',
    metrics: { auc: 0.76123, lift_at_10: 3.6, brier_skill: -0.0171, log_loss: 0.1 },
  },
  states: [
    { name: 'IngestEvents', seconds: 65, status: 'SUCCEEDED' },
    { name: 'TrainModels', seconds: 4.2, status: 'SUCCEEDED' },
  ],
  report: '/lake/reports/local-1.html',
  newestDay: { day: '2018-11-25', ageDays: 1_200 },
  notTrained: null,
  sentences: ['About 86 of your 1,944 users will probably cancel.'],
  warnings: ['3 new files are left for the next run'],
} satisfies RunSummary;
const failed: RunSummary = {
  status: 'FAILED',
  runId: 'local-2',
  states: [{ name: 'BuildFeatures', seconds: 3, status: 'FAILED' }],
  error: {
    state: 'BuildFeatures',
    message: 'the log is too short\nit has 5 days',
    whatToDo: 'deliver 42 days',
  },
  logs: '/lake/runs/local-2/logs',
};

describe('the summary of a run', () => {
  it('has the counts, the model with its main figures, the time of each state and the report', () => {
    const text = summaryText(succeeded);
    expect(text).toContain('1,234,567 read: 1,234,500 accepted, 60 refused, 7 duplicates');
    expect(text).toContain(
      '2,234,490 events: 1,000,000 before, 12 taken away, 1,234,500 accepted, 2 returned; from 61 files\n',
    );
    expect(text).toContain('2,481, of whom 537 cancelled; 1,944 scored\n');
    const returned = { ...succeeded, returnedUsers: 12, secondCancellations: 4 };
    expect(summaryText(returned)).toContain(
      'of whom 537 cancelled; 12 came back, with 4 cancellations after that; 1,944 scored\n',
    );
    expect(text).toContain('Gradient-boosted trees: AUC 0.761, lift at 10% 3.60, Brier skill -1.7%\n');
    const untrained = { ...succeeded, notTrained: 'the setting says to train never' };
    expect(summaryText(untrained)).toContain(
      'Gradient-boosted trees: not trained, as the setting says to train never\n',
    );
    expect(text).toContain('1 min 09 s: IngestEvents 1 min 05 s, TrainModels 4.2 s');
    expect(text).toContain('/lake/reports/local-1.html');
    expect(text).toContain('  • About 86 of your 1,944 users will probably cancel.\n');
    expect(text).toContain('  Next        npm run churn -- report --lake /lake\n');
    expect(text).toContain('  Warning     3 new files are left for the next run.\n');
  });

  it('names the list of users to contact, where there is one', () => {
    const campaign = { file: '/lake/runs/local-1/campaign.csv', users: 1_234, days: 30 };
    expect(summaryText({ ...succeeded, campaign })).toContain(
      '  List        /lake/runs/local-1/campaign.csv (1,234 users to contact; kept for 30 days)\n',
    );
    for (const none of [null, undefined])
      expect(summaryText({ ...succeeded, ...(none === null ? { campaign: none } : {}) })).not.toContain(
        'List',
      );
  });

  it('of a failed run names the state, the reason, what to do, the logs, and how to resume it', () => {
    const text = summaryText(failed);
    for (const part of [
      'BuildFeatures',
      'too short',
      'it has 5 days',
      'deliver 42 days',
      '/lake/runs/local-2/logs',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('--resume local-2');
    expect(isSuccess(failed)).toBe(false);
  });

  it('does not offer to resume a run that never had a plan', () => {
    expect(summaryText({ ...failed, status: 'REFUSED', logs: null })).not.toContain('--resume');
  });

  it('of a run with nothing to do names the last report', () => {
    const { model: _model, ...rest } = succeeded;
    const idle: RunSummary = { ...rest, status: 'NOTHING_TO_DO', model: null, reason: 'no new file' };
    expect(summaryText(idle)).toContain('Nothing to do: no new file');
    expect(summaryText(idle)).toContain('/lake/reports/local-1.html (of the last run)');
    expect(isSuccess(idle)).toBe(true);
  });
});
