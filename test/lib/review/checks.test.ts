/** cdk-nag over every stack, and every wildcard that is left, with its reason. */
import { spawnSync } from 'node:child_process';
import { Template } from 'aws-cdk-lib/assertions';
import { globSync } from 'tinyglobby';
import { beforeAll, describe, expect, test } from 'vitest';
import { ReviewedChecks } from '../../../lib/review/reviewed-checks.ts';
import { REVIEWED_FINDINGS } from '../../../lib/review/reviewed-findings.ts';
import { cfnLintExecutable } from '../../../setup/environment.mjs';
import { synthesize } from '../../support/synthesize.ts';
import { allStatements } from '../policies.ts';

/** With the notebook, so that its stack is looked at too. */
const { app, stacks, assembly } = synthesize({ 'churn:notebook': 'true' });
/** Templates that the catalog launches are files of the assembly, and not among its stacks. */
const products = globSync('*.product.template.json', { cwd: assembly.directory, absolute: true });
const checks = new ReviewedChecks(app);
let report: ReturnType<typeof checks.validateScope>;

beforeAll(() => {
  report = checks.validateScope(app);
});

test('cfn-lint finds nothing in the templates', () => {
  const findings = spawnSync(
    cfnLintExecutable,
    [
      // CDK writes dependencies out that CloudFormation would see itself.
      '--ignore-checks=W3005',
      '--regions=eu-central-1',
      '--',
      ...assembly.stacks.map(({ templateFullPath }) => templateFullPath),
      ...products,
    ],
    { encoding: 'utf8' },
  );
  expect(products).toHaveLength(1);
  expect(findings.error).toBeUndefined();
  expect(`${findings.stdout}${findings.stderr}`).toBe('');
}, 180_000);

describe('cdk-nag', () => {
  test.each(Object.entries(stacks))('finds nothing in stack %s that was not reviewed', (_, stack) => {
    const findings = report.violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources
        .filter(({ constructPath }) => constructPath?.startsWith(stack.node.path))
        .map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    );
    expect(findings).toEqual([]);
  });

  test('no reviewed finding is stale', () => {
    const used = new Set(checks.acknowledged.map(({ by }) => by));
    expect(REVIEWED_FINDINGS.filter((reviewed) => !used.has(reviewed))).toEqual([]);
  });
});

test('every wildcard that is left has its justification', () => {
  const byReason = new Map<string, string[]>();
  for (const { construct, id, by } of checks.acknowledged) {
    if (by.rule !== 'AwsSolutions-IAM5') continue;
    const [, ...path] = construct.split('/');
    const role = path
      .slice(0, -1)
      .join('/')
      .replace(/\/(Default|DefaultPolicy)(?=\/|$)/g, '');
    byReason.set(by.reason, [...(byReason.get(by.reason) ?? []), `${role}: ${readable(id)}`]);
  }
  const listing = [...byReason].map(([reason, uses]) =>
    [reason, ...uses.sort().map((use) => `  ${use}`)].join('\n'),
  );
  expect(listing.sort().join('\n')).toMatchInlineSnapshot(`
    "A kernel reads tables, and writes results of Athena and logs of its cluster, whose objects EMR and Athena name
      KernelRole: ClusterLogs/notebooks/*
      KernelRole: Lake/tables/*
      KernelRole: Lake/warehouse/*
      KernelRole: QueryResults/*
    All versions of this one Lambda: a run in progress calls those of the deployment that it began with
      StateMachine/Execution/Policy: <choosemodel30D67817.Arn>:*
      StateMachine/Execution/Policy: <closerunC15C7787.Arn>:*
      StateMachine/Execution/Policy: <decidetraining40A20DBB.Arn>:*
      StateMachine/Execution/Policy: <renderreport35FEC0C9.Arn>:*
      StateMachine/Execution/Policy: <starttrainingDD40ACB6.Arn>:*
      StateMachine/Execution/Policy: <storemetricsA2FCF9C4.Arn>:*
    Athena names the objects of its results; the bucket holds nothing else
      StateMachine/Execution/Policy: QueryResults/*
      store-metrics/Role: QueryResults/*
    Data files of the tables that Athena counts
      StateMachine/Execution/Policy: Lake/warehouse/*
    EC2's descriptions have no resource to name; rules of groups are changed only where EMR's tag is
      StudioRole: *
    EMR names the log objects of a cluster
      InstanceRole: ClusterLogs/*
    Executions of this one state machine; their names come with each run
      close-run/Role: arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:churn-dev:*
      start-training/Role: arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:churn-dev:*
      store-metrics/Role: arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:churn-dev:*
    Files of the workspaces; the bucket holds nothing else
      StudioRole: Workspaces/*
    Ids of clusters come when one is launched; what changes one asks for the tag of the notebook
      Catalog/LaunchRole: arn:<AWS::Partition>:elasticmapreduce:<AWS::Region>:<AWS::AccountId>:cluster/*
      StudioRole: arn:<AWS::Partition>:elasticmapreduce:<AWS::Region>:<AWS::AccountId>:cluster/*
    Ids of clusters come with each run; what changes one asks for the tag of this pipeline
      StateMachine/Execution/Policy: arn:<AWS::Partition>:elasticmapreduce:<AWS::Region>:<AWS::AccountId>:cluster/*
      close-run/Role: arn:<AWS::Partition>:elasticmapreduce:<AWS::Region>:<AWS::AccountId>:cluster/*
      start-training/Role: arn:<AWS::Partition>:elasticmapreduce:<AWS::Region>:<AWS::AccountId>:cluster/*
      store-metrics/Role: arn:<AWS::Partition>:elasticmapreduce:<AWS::Region>:<AWS::AccountId>:cluster/*
    Ids of interfaces and clusters are not known before; the statements ask for EMR's tag, but for one that AWS's guide wants without
      StudioRole: arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*
      StudioRole: arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:network-interface/*
      StudioRole: arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:security-group/*
      StudioRole: arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:subnet/*
    ListClusters, quotas, what EC2 tells of offers, instances, subnets and spot prices, and X-Ray have no resource to name
      choose-model/Role: *
      close-run/Role: *
      decide-training/Role: *
      render-report/Role: *
      start-training/Role: *
      store-metrics/Role: *
    Log delivery and X-Ray have no resource to name
      Notifier/Execution/Policy: *
    Objects below one prefix of the lake, named by run or batch
      StateMachine/Execution/Policy: Lake/tables/*
      choose-model/Role: Lake/models/*/model.json
      choose-model/Role: Lake/pending/*
      choose-model/Role: Lake/runs/*
      choose-model/Role: Lake/runs/*/choice.json
      close-run/Role: Lake/drafts/*
      close-run/Role: Lake/models/*/*
      close-run/Role: Lake/models/*/model-card.json
      close-run/Role: Lake/models/*/model.json
      close-run/Role: Lake/pending/*
      close-run/Role: Lake/reports/*.html
      close-run/Role: Lake/runs/*
      close-run/Role: Lake/runs/*/campaign.csv
      close-run/Role: Lake/tables/*
      decide-training/Role: Lake/models/*/model.json
      decide-training/Role: Lake/pending/*
      decide-training/Role: Lake/runs/*
      decide-training/Role: Lake/runs/*/training-decision.json
      render-report/Role: Lake/models/*/model-card.json
      render-report/Role: Lake/reports/*.html
      render-report/Role: Lake/runs/*
      render-report/Role: Lake/tables/*
      start-training/Role: Lake/index/*
      start-training/Role: Lake/pending/*
      start-training/Role: Lake/runs/*
      start-training/Role: Lake/tables/*
      store-metrics/Role: Lake/drafts/*
      store-metrics/Role: Lake/models/*/*
      store-metrics/Role: Lake/models/*/model-card.json
      store-metrics/Role: Lake/models/*/model.json
      store-metrics/Role: Lake/pending/*
      store-metrics/Role: Lake/reports/*.html
      store-metrics/Role: Lake/runs/*
      store-metrics/Role: Lake/runs/*/campaign.csv
      store-metrics/Role: Lake/tables/*
    RunJobFlow (conditioned on the tags it sets), log delivery and X-Ray have no resource to name
      StateMachine/Execution/Policy: *
    Scripts and packages of every deployment: a run in progress uses those of the one that it began with
      InstanceRole: arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-central-1/*.py
      InstanceRole: arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-central-1/*.sh
      InstanceRole: arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-central-1/*.zip
    Secrets of linked Git repositories: EMR Studio begins their names so
      StudioRole: arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:emr-studio-*
      User: arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:emr-studio-*
    Service Catalog names the stacks that it launches
      Catalog/LaunchRole: arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/SC-*
    Spark writes every table, model and result: the objects of this one bucket, whose names it chooses
      InstanceRole: Lake/*
    The event files below one prefix of one bucket
      InstanceRole: RawEvents/events/*
    The tables of this one Glue database
      InstanceRole: arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>:table/churn-dev-database/*
      KernelRole: arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>:table/churn-dev-database/*
      StateMachine/Execution/Policy: arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>:table/churn-dev-database/*
    Validating a template has no resource to name; templates are Service Catalog's, clusters those with the notebook's tag, by condition
      Catalog/LaunchRole: *
    Workspaces, repositories, products and descriptions have no resource to name
      User: *"
  `);
});

/** A finding without the generated parts of its names. */
function readable(id: string): string {
  const [, finding = ''] = id.split(/\[(.*)\]$/s, 2);
  return finding
    .replace(/^(Resource|Action)::/, '')
    .replace(/\S+:ExportsOutput(Ref|FnGetAtt)(\w+?)[0-9A-F]{8}Arn[0-9A-F]{8}/, '$2');
}

test('no role may do everything with anything', () => {
  for (const stack of Object.values(stacks)) {
    for (const { actions } of allStatements(Template.fromStack(stack))) {
      expect(actions).not.toContain('*');
      expect(actions.filter((action) => /^\w+:\*$/.test(action))).toEqual([]);
    }
  }
});
