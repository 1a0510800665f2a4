import { Match } from 'aws-cdk-lib/assertions';
import { DefaultDashboardFactory } from 'cdk-monitoring-constructs';
import { describe, expect, test } from 'vitest';
import { RunMonitoring } from '../../../lib/monitoring/run-monitoring.ts';
import { alone } from '../../support/construct-alone.ts';
import { watchedPipeline } from '../../support/pipeline-parts.ts';

const monitoring = (overrides: Readonly<Record<string, unknown>> = {}) =>
  alone(
    'monitoring',
    (stack, given) => {
      new RunMonitoring(stack, 'Runs', {
        configuration: given.configuration,
        pipeline: watchedPipeline(stack, given),
        dashboards: new DefaultDashboardFactory(stack, 'Dashboards', { dashboardNamePrefix: 'churn-dev' }),
      });
    },
    overrides,
  );

describe('the monitoring of runs', () => {
  const { template, findings } = monitoring();

  test('passes cdk-nag', () => {
    // The queue belongs to another stack.
    expect(findings.filter((finding) => !finding.includes('/DeadLetters/'))).toEqual([]);
  });

  test('raises alarms at the topic', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'churn-dev-run-failed',
      ActionsEnabled: true,
      AlarmActions: [Match.stringLikeRegexp(':notifications$')],
      TreatMissingData: 'notBreaching',
    });
  });

  test('takes thresholds from the configuration', () => {
    monitoring({ 'churn:alarmMaxClusterHours': '3' }).template.hasResourceProperties(
      'AWS::CloudWatch::Alarm',
      {
        AlarmName: 'churn-dev-cluster-alive-too-long',
        Threshold: 3,
      },
    );
  });

  test('has a dashboard', () => {
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });
});

describe('the alarm on the time without a successful run', () => {
  const thresholds = (overrides: Readonly<Record<string, unknown>>): readonly unknown[] =>
    Object.values(
      monitoring(overrides).template.findResources('AWS::CloudWatch::Alarm', {
        Properties: { AlarmName: 'churn-dev-no-successful-run' },
      }),
    ).map(({ Properties }) => Properties.Threshold);

  test('does not exist where nobody expects a run', () => {
    expect(thresholds({})).toEqual([]);
  });

  test('is twice the time between scheduled starts', () => {
    expect(thresholds({ 'churn:scheduleEnabled': 'true' })).toEqual([336]);
  });

  test('is what the configuration says, with and without a schedule', () => {
    const hours = { 'churn:alarmMaxHoursWithoutSuccess': '36' };
    expect(thresholds(hours)).toEqual([36]);
    expect(thresholds({ ...hours, 'churn:scheduleEnabled': 'true' })).toEqual([36]);
  });
});

describe('the runbook of an alarm', () => {
  const descriptionIn = ({ template }: ReturnType<typeof monitoring>): string => {
    const alarms = Object.values(
      template.findResources('AWS::CloudWatch::Alarm', {
        Properties: { AlarmName: 'churn-dev-score-drift' },
      }),
    );
    return alarms.map(({ Properties }) => String(Properties.AlarmDescription)).join('\n');
  };

  test('is linked where the configuration has the URL of the runbooks', () => {
    const url = 'https://git.example.com/churn/docs/runbooks';
    expect(descriptionIn(monitoring({ 'churn:runbookRoot': url }))).toMatch(
      /when the model was tested\s+Runbook: https:\/\/git\.example\.com\/churn\/docs\/runbooks\/drift\.md$/,
    );
  });

  test('is named, and not linked, where it has not', () => {
    const description = descriptionIn(monitoring());
    expect(description).toMatch(/What to do is in docs\/runbooks\/drift\.md of the project's repository\.$/);
    expect(description).not.toContain('Runbook:');
  });
});
