/** The dashboard and the alarms. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import { DefaultDashboardFactory } from 'cdk-monitoring-constructs';
import type { Construct } from 'constructs';
import type { Configuration } from '../configuration.ts';
import type { WatchedPipeline } from '../pipeline/pipeline-stack.ts';
import { RunMonitoring } from './run-monitoring.ts';

export interface MonitoringStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly pipeline: WatchedPipeline;
}

export class MonitoringStack extends Stack {
  constructor(scope: Construct, id: string, props: MonitoringStackProps) {
    super(scope, id, props);
    const { configuration, pipeline } = props;
    new RunMonitoring(this, 'Runs', {
      configuration,
      pipeline,
      dashboards: new DefaultDashboardFactory(this, 'Dashboards', {
        dashboardNamePrefix: configuration.prefix,
      }),
    });
  }
}
