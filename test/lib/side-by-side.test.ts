/** Deployments of one account and Region: no physical name of one occurs in another. */
import { describe, expect, test } from 'vitest';
import { type StackName, type Synthesized, synthesize } from '../support/synthesize.ts';

const EMAIL = { 'churn:alarmEmail': 'oncall@example.com' };
const NOTEBOOK = { 'churn:notebook': 'true' };
const DEPLOYMENTS: Readonly<Record<string, Synthesized>> = {
  'churn, dev': synthesize(NOTEBOOK),
  'churn, prod': synthesize({ 'churn:stage': 'prod', ...EMAIL, ...NOTEBOOK }),
  'churn-b, dev': synthesize({ 'churn:name': 'churn-b', ...NOTEBOOK }),
};
const STACKS: readonly StackName[] = ['storage', 'network', 'compute', 'pipeline', 'monitoring', 'notebook'];

/** Properties that name something of the account and Region, and not of the resource that they belong to. */
const NAMES = /(^|\.)([A-Za-z]*Name|Alias|AliasName)$/;
/** Names of parts, which belong to one resource of the deployment, and of what AWS defines. */
const OF_PARTS: Readonly<Record<string, RegExp>> = {
  // Tables and columns belong to their database, which is compared itself.
  'AWS::Glue::Table': /^TableInput\.|^DatabaseName$/,
  // The metric of an alarm: compared below, with its dimensions.
  'AWS::CloudWatch::Alarm': /^Metrics\.|^MetricName$|^Dimensions/,
  // Within their role.
  'AWS::IAM::Policy': /^PolicyName$/,
  // What AWS calls the service of an endpoint.
  'AWS::EC2::VPCEndpoint': /^ServiceName$/,
  // Versions of one product.
  'AWS::ServiceCatalog::CloudFormationProduct': /^ProvisioningArtifactParameters/,
  // References to functions, topics and security configurations of the same deployment.
  'AWS::Lambda::Version': /^FunctionName$/,
  'AWS::Lambda::Permission': /^FunctionName$/,
  'AWS::Lambda::EventInvokeConfig': /^FunctionName$/,
};

interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

/** Leaves and intrinsic functions below a value, with the keys that lead to them. */
function leaves(value: unknown, path = ''): readonly Leaf[] {
  const isPlain = value !== null && typeof value === 'object';
  if (!isPlain) return [{ path, value }];
  const entries = Object.entries(value);
  if (entries.some(([key]) => key === 'Ref' || key.startsWith('Fn::'))) return [{ path, value }];
  return entries.flatMap(([key, child]) => leaves(child, path === '' ? key : `${path}.${key}`));
}

/** Names that the templates fix; one that CloudFormation makes up, or that refers to the deployment's own, is not fixed. */
function physicalNames({ template }: Synthesized): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const stack of STACKS) {
    const { Resources = {}, Outputs = {} } = template(stack).toJSON();
    for (const [id, resource] of Object.entries<{ Type: string; Properties?: unknown }>(Resources)) {
      for (const { path, value } of leaves(resource.Properties ?? {})) {
        if (!NAMES.test(path) || OF_PARTS[resource.Type]?.test(path) === true) continue;
        if (typeof value === 'string') names.set(`${resource.Type} ${value}`, `${stack}/${id}.${path}`);
      }
    }
    for (const { Export } of Object.values<{ Export?: { Name: unknown } }>(Outputs)) {
      if (Export !== undefined) names.set(`export ${JSON.stringify(Export.Name)}`, `${stack} output`);
    }
  }
  return names;
}

const pairs = Object.keys(DEPLOYMENTS).flatMap((one, index, all) =>
  all.slice(index + 1).map((other) => [one, other] as const),
);

describe.each(pairs)('%s beside %s', (one, other) => {
  const [first, second] = [DEPLOYMENTS[one], DEPLOYMENTS[other]];
  if (first === undefined || second === undefined) throw new Error('unreachable');

  test('no physical name occurs in both', () => {
    const [names, others] = [physicalNames(first), physicalNames(second)];
    expect(names.size).toBeGreaterThan(40);
    const shared = [...names].filter(([name]) => others.has(name));
    expect(shared).toEqual([]);
  });

  test('no metric with the same dimensions is watched by both', () => {
    const watched = ({ template }: Synthesized): ReadonlySet<string> =>
      new Set(JSON.stringify(template('monitoring').toJSON()).match(/"Dimensions":\[.*?\]/g) ?? []);
    const [ours, theirs] = [watched(first), watched(second)];
    expect(ours.size).toBeGreaterThan(3);
    expect([...ours].filter((dimensions) => theirs.has(dimensions))).toEqual([]);
  });
});

test('the database is called after name, stage and the beginning of the id of its stack', () => {
  const { template } = synthesize({ 'churn:name': 'churn-b' });
  template('storage').hasResourceProperties('AWS::Glue::Database', {
    DatabaseInput: {
      Name: {
        'Fn::Join': [
          '_',
          [
            'churn_b_dev',
            {
              'Fn::Select': [
                0,
                {
                  'Fn::Split': ['-', { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] }],
                },
              ],
            },
          ],
        ],
      },
    },
  });
});

test('a kept database that is imported has the configured name, for its tables and for the runs', () => {
  const { template } = synthesize({ 'churn:database': 'churn' });
  template('storage').hasResourceProperties('AWS::Glue::Database', { DatabaseInput: { Name: 'churn' } });
  template('storage').hasOutput('DatabaseName', { Value: 'churn' });
});
