import { describe, expect, it } from 'vitest';
import {
  betterText,
  CHAMPION_METRIC,
  CHOICE_METRIC,
  metricHeading,
  metricMerit,
  metricOf,
  metricsShownIn,
  metricsThatDecide,
  metricText,
  modelLabel,
} from '../../domain/metrics.ts';

describe('the metrics', () => {
  const names = (metrics: ReturnType<typeof metricsShownIn>) => metrics.map(({ name }) => name);

  it('decide the choice and the comparison with the champion by one each, and with the baselines by two', () => {
    expect(CHOICE_METRIC.name).toBe('log_loss');
    expect(CHAMPION_METRIC.name).toBe('average_precision_ratio');
    expect(names(metricsThatDecide('baselines'))).toEqual(['auc', 'average_precision']);
  });

  it('are shown in the terminal, in the notification and, explained, on the head of the report', () => {
    expect(names(metricsShownIn('terminal'))).toEqual([
      'auc',
      'average_precision',
      'lift_at_10',
      'brier_skill',
      'calibration_error',
    ]);
    expect(names(metricsShownIn('notification'))).toEqual(['auc', 'average_precision_ratio', 'lift_at_10']);
    expect(metricsShownIn('report head').filter(({ reading }) => reading === undefined)).toEqual([]);
  });

  it('are shown with their own digits, without a negative zero', () => {
    expect(metricText(metricOf('auc'), 0.76349)).toBe('0.763');
    expect(metricText(metricOf('lift_at_10'), 3.6)).toBe('3.60');
    expect(metricText(metricOf('brier'), 0.03654)).toBe('0.0365');
    expect(metricText(metricOf('brier_skill'), -0.0171)).toBe('-1.7%');
    expect(metricText(metricOf('brier_skill'), -0.0001)).toBe('0.0%');
  });

  it('have labels for sentences and for headings', () => {
    expect(metricHeading(metricOf('average_precision'))).toBe('Average precision');
    expect(metricHeading(metricOf('auc'))).toBe('AUC');
    expect(modelLabel('days_since_last_seen')).toBe('Days since last seen');
  });

  it.each([
    ['auc', 0.8, 0.7, 'higher is better'],
    ['brier', 0.03, 0.04, 'lower is better'],
    ['calibration_slope', 0.9, 1.2, 'best at 1'],
    ['calibration_slope', 1.1, 0.8, 'best at 1'],
  ] as const)('know which of two values of %s is better: %d, not %d', (name, better, worse, words) => {
    const metric = metricOf(name);
    expect(metricMerit(metric, better)).toBeGreaterThan(metricMerit(metric, worse));
    expect(betterText(metric)).toBe(words);
  });
});
