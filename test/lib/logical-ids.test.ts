/**
 * A changed logical id replaces its resource. For what holds data that is a loss, and for what has a fixed name the
 * deployment fails, since the name is taken: docs/decisions/logical-ids.md.
 */
import { expect, test } from 'vitest';
import type { StackName } from '../support/synthesize.ts';
import { resources } from './resources.ts';

const KEPT: readonly (readonly [StackName, string, readonly string[]])[] = [
  ['storage', 'AWS::KMS::Key', ['Key961B73FD']],
  [
    'storage',
    'AWS::S3::Bucket',
    [
      'AccessLogs8B620ECA',
      'RawEvents8257B1D2',
      'Lake5F1B88EA',
      'ClusterLogs8A7942D7',
      'QueryResults655BC675',
    ],
  ],
  ['storage', 'AWS::Glue::Database', ['Database']],
  [
    'storage',
    'AWS::Glue::Table',
    [
      ...['Tablerawevents', 'Tableingestfiles', 'Tablemodelmetrics', 'Tableoutcomes', 'Tableruns'],
      ...['Tablesegments', 'Tableexploration', 'Tablesurvival', 'Tabledrivers', 'Tablefeatureranges'],
      ...['Tablehazards', 'Tablehomogeneity'],
    ],
  ],
  ['storage', 'AWS::Athena::WorkGroup', ['Workgroup']],
  ['network', 'AWS::Logs::LogGroup', ['FlowLogs16C1943A']],
  ['compute', 'AWS::IAM::InstanceProfile', ['InstanceProfile']],
  ['pipeline', 'AWS::SNS::Topic', ['Notifications87298708']],
  ['pipeline', 'AWS::SQS::Queue', ['DeadLettersBBF8BAAB']],
  [
    'pipeline',
    'AWS::Logs::LogGroup',
    [
      'NotifierLogs49177D36',
      'starttraininglogs4B63A987',
      'storemetricslogsE59D6B77',
      'renderreportlogs9E648E30',
      'choosemodellogs3D7C9F46',
      'decidetraininglogs329B3553',
      'closerunlogs8749D453',
      'StateMachineLogs3CB16D3C',
    ],
  ],
  [
    'pipeline',
    'AWS::Lambda::Function',
    [
      'starttrainingDD40ACB6',
      'storemetricsA2FCF9C4',
      'renderreport35FEC0C9',
      'closerunC15C7787',
      'choosemodel30D67817',
      'decidetraining40A20DBB',
    ],
  ],
  ['pipeline', 'AWS::StepFunctions::StateMachine', ['NotifierDFD80165', 'StateMachine2E01A3A5']],
  ['pipeline', 'AWS::Scheduler::Schedule', ['Schedule83A77FD1']],
  ['monitoring', 'AWS::CloudWatch::Dashboard', ['DashboardsDashboard0712AF28']],
];

test.each(KEPT)('stack %s keeps the logical ids of %s', (stack, type, ids) => {
  expect(
    resources(stack, type)
      .map(([id]) => id)
      .sort(),
  ).toEqual([...ids].sort());
});
