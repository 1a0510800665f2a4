import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, FUNCTION_NAMES, notifierName } from '../../../domain/operations.ts';
import { runSettingsSchema } from '../../../domain/run.ts';
import { flatten, policyDocuments, principals } from '../policies.ts';
import { configuration, keyPolicy, resources, template } from '../resources.ts';

describe('pipeline', () => {
  test.each(FUNCTION_NAMES)(
    'Lambda %s runs on Node 22 and arm64, knows its deployment, and keeps its settings under the key',
    (name) => {
      template('pipeline').hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: `${configuration.prefix}-${name}`,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        KmsKeyArn: Match.anyValue(),
        Environment: {
          Variables: Match.objectLike({
            [ENVIRONMENT.lakeRoot]: Match.anyValue(),
            [ENVIRONMENT.eventsRoot]: Match.anyValue(),
            [ENVIRONMENT.runSettings]: JSON.stringify(runSettingsSchema.parse({})),
            [ENVIRONMENT.pipelineName]: configuration.prefix,
            [ENVIRONMENT.fleets]: JSON.stringify({
              primary: configuration.primaryInstanceTypes,
              core: configuration.coreInstanceTypes,
              task: configuration.taskInstanceTypes,
            }),
            [ENVIRONMENT.subnetIds]: Match.anyValue(),
            [ENVIRONMENT.notifierArn]: Match.anyValue(),
            [ENVIRONMENT.stateMachineArn]: Match.anyValue(),
          }),
        },
      });
    },
  );

  test.each(FUNCTION_NAMES)('Lambda %s is traced, and may write traces and its own log', (name) => {
    template('pipeline').hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: `${configuration.prefix}-${name}`,
      TracingConfig: { Mode: 'Active' },
    });
    const role = `${name.replaceAll('-', '')}RoleDefaultPolicy`;
    const allowed = policyDocuments(template('pipeline'))
      .filter(({ resource }) => resource === role)
      .flatMap(({ document }) => document.Statement.flatMap(({ Action }) => Action));
    expect(allowed).toEqual(
      expect.arrayContaining(['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'logs:PutLogEvents']),
    );
  });

  test.each(FUNCTION_NAMES)('Lambda %s is described by its state, as far as AWS allows', (name) => {
    const [resource] = Object.values(
      template('pipeline').findResources('AWS::Lambda::Function', {
        Properties: { FunctionName: `${configuration.prefix}-${name}` },
      }),
    );
    const { Description: description } = resource?.Properties ?? {};
    expect(description).toMatch(/^[A-Z]\w+: \S/);
    expect(description.length).toBeLessThanOrEqual(256);
  });

  test('disks and objects of the cluster are encrypted, by the security configuration that the state machine names', () => {
    template('pipeline').hasResourceProperties('AWS::EMR::SecurityConfiguration', {
      SecurityConfiguration: {
        EncryptionConfiguration: {
          EnableAtRestEncryption: true,
          EnableInTransitEncryption: false,
          AtRestEncryptionConfiguration: {
            S3EncryptionConfiguration: { EncryptionMode: 'SSE-KMS' },
            LocalDiskEncryptionConfiguration: {
              EncryptionKeyProviderType: 'AwsKms',
              EnableEbsEncryption: true,
            },
          },
        },
        InstanceMetadataServiceConfiguration: {
          MinimumInstanceMetadataServiceVersion: 2,
          HttpPutResponseHopLimit: 1,
        },
      },
    });
    const [machine] = Object.values(
      template('pipeline').findResources('AWS::StepFunctions::StateMachine', {
        Properties: { StateMachineName: configuration.prefix },
      }),
    );
    expect(JSON.stringify(machine?.Properties.DefinitionString)).toContain(
      '\\"SecurityConfiguration\\":\\"",{"Ref":"SecurityConfiguration"}',
    );
  });

  test('the state machine calls the version of each Lambda that its deployment publishes', () => {
    const versions = resources('pipeline', 'AWS::Lambda::Version');
    expect(versions.map(([, version]) => version.Properties?.FunctionName)).toEqual(
      resources('pipeline', 'AWS::Lambda::Function').map(([id]) => ({ Ref: id })),
    );
    const [machine] = Object.values(
      template('pipeline').findResources('AWS::StepFunctions::StateMachine', {
        Properties: { StateMachineName: configuration.prefix },
      }),
    );
    const definition = JSON.stringify(machine?.Properties.DefinitionString);
    const called = [...definition.matchAll(/FunctionName\\":\\"",\{"Ref":"(\w+)"\}/g)].map(([, id]) => id);
    expect(new Set(called)).toEqual(new Set(versions.map(([id]) => id)));
    expect(called).toHaveLength(definition.match(/states:::lambda:invoke/g)?.length ?? 0);
  });

  test('the topic takes alarms, under the customer key', () => {
    template('pipeline').hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    template('pipeline').hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
          }),
        ],
      },
    });
  });

  test('every run that fails reaches close-run, by event and by sweep', () => {
    template('pipeline').hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })],
    });
    template('pipeline').hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(15 minutes)',
      Targets: [Match.objectLike({ Input: '{"sweep":true}' })],
    });
  });

  test('the schedule is off in dev, starts with an empty request, and keeps what it could not start', () => {
    template('pipeline').hasResourceProperties('AWS::Scheduler::Schedule', {
      State: 'DISABLED',
      ScheduleExpression: 'cron(0 3 ? * MON *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      Target: { Input: '{}', DeadLetterConfig: Match.anyValue() },
    });
  });

  test('every role and service that may send to the dead-letter queue may use its key', () => {
    const documents = policyDocuments(template('pipeline'));
    const sends = ({ Effect, Action }: { Effect: string; Action: readonly unknown[] }): boolean =>
      Effect === 'Allow' && Action.includes('sqs:SendMessage');
    const uses = ({ Effect, Action }: { Effect: string; Action: readonly unknown[] }): boolean =>
      Effect === 'Allow' && Action.includes('kms:Decrypt') && Action.includes('kms:GenerateDataKey');
    const roles = documents.filter(
      ({ type, document }) => type === 'AWS::IAM::Policy' && document.Statement.some(sends),
    );
    expect(roles.map(({ resource }) => resource)).toEqual([
      'closerunRoleDefaultPolicy',
      'ScheduleRoleDefaultPolicy',
    ]);
    for (const { resource, document } of roles) {
      const keys = document.Statement.filter(uses).flatMap(({ Resource = [] }) => Resource.map(flatten));
      expect(keys, resource).toContain('<Key Arn>');
    }
    const services = documents
      .filter(({ type }) => type === 'AWS::SQS::QueuePolicy')
      .flatMap(({ document }) => document.Statement.filter(sends))
      .flatMap(({ Principal }) => principals(Principal));
    expect(new Set(services)).toEqual(new Set(['events.amazonaws.com']));
    expect(
      keyPolicy()
        .filter(uses)
        .flatMap(({ Principal }) => principals(Principal)),
    ).toEqual(expect.arrayContaining(services));
  });

  test('the schedule may start this state machine, keep what it could not start, and nothing else', () => {
    const own = policyDocuments(template('pipeline')).find(
      ({ resource }) => resource === 'ScheduleRoleDefaultPolicy',
    );
    expect(
      own?.document.Statement.flatMap(({ Action, Resource = [] }) =>
        Action.map((action) => `${action} ${Resource.map(flatten)}`),
      ).sort(),
    ).toEqual([
      'kms:Decrypt <Key Arn>',
      'kms:Decrypt <Key Arn>',
      'kms:GenerateDataKey <Key Arn>',
      'sqs:SendMessage <DeadLetters Arn>',
      'states:StartExecution <StateMachine>',
    ]);
    template('pipeline').hasResourceProperties('AWS::Scheduler::Schedule', {
      Target: { RoleArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ScheduleRole'), 'Arn'] } },
    });
  });

  test.each([configuration.prefix, notifierName(configuration.prefix)])(
    'the state machine %s has a fixed name, logs everything and is traced',
    (name) => {
      template('pipeline').hasResourceProperties('AWS::StepFunctions::StateMachine', {
        StateMachineName: name,
        LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
        TracingConfiguration: { Enabled: true },
      });
    },
  );

  test('only the notifier publishes, and only it is started by the state machine and by close-run', () => {
    const allowed = (action: string): string[] =>
      policyDocuments(template('pipeline'))
        .filter(({ type }) => type === 'AWS::IAM::Policy')
        .flatMap(({ resource, document }) =>
          document.Statement.filter(({ Action }) => Action.includes(action)).map(
            ({ Resource = [] }) => `${resource}: ${Resource.map(flatten)}`,
          ),
        );
    expect(allowed('sns:Publish')).toEqual(['NotifierExecutionPolicy: <Notifications>']);
    expect(allowed('states:StartExecution').sort()).toEqual([
      'ScheduleRoleDefaultPolicy: <StateMachine>',
      'StateMachineExecutionPolicy: <Notifier>',
      'closerunRoleDefaultPolicy: <Notifier>',
    ]);
  });

  test('the rule watches the pipeline, not its notifier', () => {
    template('pipeline').hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { detail: { stateMachineArn: [{ Ref: Match.stringLikeRegexp('^StateMachine') }] } },
    });
  });
});
