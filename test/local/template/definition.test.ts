import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Topic } from 'aws-cdk-lib/aws-sns';
import {
  DefinitionBody,
  JsonPath,
  Pass,
  StateMachine,
  TaskInput,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import {
  EmrAddStep,
  LambdaInvoke,
  SnsPublish,
  StepFunctionsStartExecution,
} from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asVersion } from '../../../lib/cdk-interfaces.ts';
import { parseMachine } from '../../../local/interpreter/state-language.ts';
import { functionArnOf, type LocalDefinition, readDefinition } from '../../../local/template/definition.ts';
import { projectRoot } from '../../../setup/environment.mjs';

/** Two stacks that refer to each other, with a function, a topic and a script, like the real app. */
function tinyApp(folder: string): string {
  const script = join(folder, 'ingest-events.py');
  writeFileSync(script, 'print("ingest")\n');
  const app = new App({ outdir: join(folder, 'cdk.out') });
  const storage = new Stack(app, 'Storage');
  const lake = new Bucket(storage, 'Lake');
  const pipeline = new Stack(app, 'Pipeline');
  const plan = new LambdaFunction(pipeline, 'StartTraining', {
    functionName: 'churn-start-training',
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => ({})'),
    environment: { LAKE_ROOT: `s3://${lake.bucketName}`, KEY: lake.bucketRegionalDomainName },
  });
  const asset = new Asset(pipeline, 'Script', { path: script });
  const taskTimeout = Timeout.duration(Duration.minutes(5));
  const notifier = new StateMachine(pipeline, 'Notifier', {
    stateMachineName: 'churn-notifier',
    definitionBody: DefinitionBody.fromChainable(
      new SnsPublish(pipeline, 'Publish', {
        topic: new Topic(pipeline, 'Runs', { topicName: 'runs' }),
        message: TaskInput.fromText('done'),
      }),
    ),
  });
  new StateMachine(pipeline, 'Machine', {
    stateMachineName: 'churn',
    definitionBody: DefinitionBody.fromChainable(
      new LambdaInvoke(pipeline, 'PlanRun', {
        lambdaFunction: asVersion(plan.currentVersion),
        payload: TaskInput.fromObject({ runId: JsonPath.executionName }),
        payloadResponseOnly: false,
        taskTimeout,
      })
        .next(
          new EmrAddStep(pipeline, 'IngestEvents', {
            clusterId: JsonPath.stringAt('$.cluster.ClusterId'),
            name: 'ingest-events',
            jar: 'command-runner.jar',
            args: ['spark-submit', asset.s3ObjectUrl, '--lake', `s3://${lake.bucketName}/lake`],
            taskTimeout,
          }),
        )
        .next(
          new StepFunctionsStartExecution(pipeline, 'NotifySuccess', {
            stateMachine: notifier,
            name: JsonPath.executionName,
            taskTimeout,
          }),
        )
        .next(new Pass(pipeline, 'Succeeded')),
    ),
  });
  return app.synth().directory;
}

describe('the definition read from a synthesized app', () => {
  let folder: string;
  let definition: LocalDefinition;
  beforeAll(() => {
    folder = mkdtempSync(join(projectRoot, 'cdk.out-test-'));
    definition = readDefinition(tinyApp(folder));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const state = (name: string): unknown => parseMachine(definition.states).States[name];

  it('is plain JSON with names and ARNs instead of CloudFormation functions', () => {
    expect(JSON.stringify(definition.states)).not.toMatch(/Fn::|"Ref"|AWS::/);
    expect(definition.arn).toBe('arn:aws:states:us-east-1:123456789012:stateMachine:churn');
    expect(state('PlanRun')).toMatchObject({
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: 'arn:aws:lambda:us-east-1:123456789012:function:churn-start-training:1' },
    });
    expect(state('NotifySuccess')).toMatchObject({
      Parameters: { StateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:churn-notifier' },
    });
  });

  it('includes the notifier, recognized by its name', () => {
    expect(definition.notifier.arn).toBe('arn:aws:states:us-east-1:123456789012:stateMachine:churn-notifier');
    expect(parseMachine(definition.notifier.states).States.Publish).toMatchObject({
      Parameters: { TopicArn: 'arn:aws:sns:us-east-1:123456789012:runs' },
    });
  });

  it('is refused if there is no pipeline with a notifier', () => {
    const lonely = mkdtempSync(join(projectRoot, 'cdk.out-test-'));
    try {
      const app = new App({ outdir: join(lonely, 'cdk.out') });
      const stack = new Stack(app, 'Pipeline');
      new StateMachine(stack, 'Machine', {
        stateMachineName: 'churn',
        definitionBody: DefinitionBody.fromChainable(new Pass(stack, 'Succeeded')),
      });
      expect(() => readDefinition(app.synth().directory)).toThrow(/churn.*needs one and its notifier/);
    } finally {
      rmSync(lonely, { recursive: true, force: true });
    }
  });

  it('follows a reference to another stack', () => {
    const { Parameters: parameters } = Object(state('IngestEvents'));
    const bucket = /^s3:\/\/(Lake[A-Z0-9]+)\/lake$/.exec(parameters.Step.HadoopJarStep.Args[3])?.[1];
    expect(bucket).toBeDefined();
    expect(
      definition.functions.get('arn:aws:lambda:us-east-1:123456789012:function:churn-start-training'),
    ).toMatchObject({ functionName: 'churn-start-training', environment: { LAKE_ROOT: `s3://${bucket}` } });
  });

  it('has the function of a version, by its ARN', () => {
    const { Parameters: parameters } = Object(state('PlanRun'));
    expect(definition.functions.get(functionArnOf(parameters.FunctionName))).toMatchObject({
      functionName: 'churn-start-training',
    });
  });

  it('maps the URI of a script to the file that would be uploaded', () => {
    const { Parameters: parameters } = Object(state('IngestEvents'));
    const file = definition.assets.get(parameters.Step.HadoopJarStep.Args[1]);
    expect(file).toBeDefined();
    expect(readFileSync(file ?? '', 'utf8')).toBe('print("ingest")\n');
  });

  it('leaves out environment variables whose values are known only after deployment', () => {
    const [only] = definition.functions.values();
    expect(Object.keys(only?.environment ?? {})).toEqual(['LAKE_ROOT']);
  });
});
