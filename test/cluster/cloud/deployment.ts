/** The app as it would be deployed: synthesized with its Lambdas bundled, every name that CloudFormation gives known beforehand. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FUNCTION_NAMES, type FunctionName } from '../../../domain/operations.ts';
import { projectContext } from '../../../lib/project-context.ts';
import { readAssembly } from '../../../local/template/assembly.ts';
import { functionArnOf, type LocalDefinition, readDefinition } from '../../../local/template/definition.ts';
import { resolve, resolveText } from '../../../local/template/intrinsics.ts';
import { type Json, type StackTemplate, templateSchema } from '../../../local/template/template.ts';
import { nodeExecutable, projectRoot } from '../../../setup/environment.mjs';
import { bundleOf, type DeployedLambda } from '../../deploy/deployed-lambdas.ts';
import { type RolePolicies, rolePolicies } from '../judge/statements.ts';

/** A bucket of the app, and the key that it encrypts with by default. */
export interface DeployedBucket {
  readonly name: string;
  readonly keyArn: string | undefined;
}

/** A resource of a type with its properties, without CloudFormation's functions. */
interface Deployed {
  readonly logicalId: string;
  readonly properties: Json;
  readonly stack: StackTemplate;
}

/** A Lambda with the name of its role. */
export type RoledLambda = DeployedLambda & { readonly role: string };

export interface Deployment {
  readonly definition: LocalDefinition;
  readonly stacks: readonly StackTemplate[];
  readonly buckets: readonly DeployedBucket[];
  readonly glueDatabases: readonly Json[];
  readonly glueTables: readonly Json[];
  readonly policies: RolePolicies;
  /** By ARN, without a version. */
  readonly lambdas: ReadonlyMap<string, RoledLambda>;
  /** Roles by the name of their state machine. */
  readonly machineRoles: ReadonlyMap<string, string>;
  readonly topicArn: string;
  readonly topicKeyArn: string;
  readonly workgroup: string;
  /** Where Athena writes results. */
  readonly resultsBucket: string;
  readonly environment: (name: FunctionName) => Readonly<Record<string, string>>;
  readonly remove: () => void;
}

/** Where the app is deployed to. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** @param subnetIds of the emulated network, in the order of the template's subnets */
export function synthesizeDeployment(place: Place, subnetIds: readonly string[]): Deployment {
  mkdirSync(join(projectRoot, 'cdk.out'), { recursive: true });
  const folder = mkdtempSync(join(projectRoot, 'cdk.out', 'cluster-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  synthesizeInto(folder, place);
  nameResources(folder, [...subnetIds]);
  const { stacks } = readAssembly(folder);
  const definition = readDefinition(folder);
  const all = (type: string): readonly Deployed[] => ofType(stacks, type);
  const lambdas = new Map(
    all('AWS::Lambda::Function').flatMap(({ logicalId, stack, properties }) => {
      const functionName = resolveText({ Ref: logicalId }, stack, stacks);
      const name = FUNCTION_NAMES.find((each) => functionName.endsWith(`-${each}`));
      if (name === undefined) return [];
      const arn = resolveText({ 'Fn::GetAtt': [logicalId, 'Arn'] }, stack, stacks);
      const { Role: role } = z.looseObject({ Role: z.string() }).parse(properties);
      const environment = definition.functions.get(functionArnOf(arn))?.environment ?? {};
      const bundle = bundleOf(folder, stack.stackName, functionName);
      return [[arn, { name, bundle, environment, role: lastPart(role) }] as const];
    }),
  );
  const [topic] = all('AWS::SNS::Topic');
  const [workgroup] = all('AWS::Athena::WorkGroup').map(({ properties }) =>
    workgroupSchema.parse(properties),
  );
  if (topic === undefined || workgroup === undefined) throw new Error('the app has no topic or no workgroup');
  return {
    definition,
    stacks,
    buckets: all('AWS::S3::Bucket').map(({ properties }) => bucketOf(properties)),
    glueDatabases: all('AWS::Glue::Database').map(({ properties }) => properties),
    glueTables: all('AWS::Glue::Table').map(({ properties }) => properties),
    policies: rolePolicies(stacks),
    lambdas,
    machineRoles: new Map(
      all('AWS::StepFunctions::StateMachine').map(({ logicalId, properties, stack }) => [
        resolveText({ Ref: logicalId }, stack, stacks).split(':').at(-1) ?? '',
        lastPart(z.looseObject({ RoleArn: z.string() }).parse(properties).RoleArn),
      ]),
    ),
    topicArn: resolveText({ Ref: topic.logicalId }, topic.stack, stacks),
    topicKeyArn: z.looseObject({ KmsMasterKeyId: z.string() }).parse(topic.properties).KmsMasterKeyId,
    workgroup: workgroup.Name,
    resultsBucket: workgroup.WorkGroupConfiguration.ResultConfiguration.OutputLocation.split('/')[2] ?? '',
    environment: (name) => [...lambdas.values()].find((each) => each.name === name)?.environment ?? {},
    remove,
  };
}

/** In a process of its own, as the CDK command line does: what CDK takes of memory is given back before the cluster starts. */
function synthesizeInto(folder: string, { account, region }: Place): void {
  const context = {
    ...projectContext(),
    'churn:account': account,
    'churn:region': region,
    // The Lambdas are bundled; the cluster's Python packages are those of this machine.
    'aws:cdk:bundling-stacks': ['*-pipeline'],
  };
  execFileSync(nodeExecutable, ['--disable-warning=ExperimentalWarning', join('bin', 'app.ts')], {
    cwd: projectRoot,
    env: { ...process.env, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(context) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const workgroupSchema = z.looseObject({
  Name: z.string(),
  WorkGroupConfiguration: z.looseObject({
    ResultConfiguration: z.looseObject({ OutputLocation: z.string() }),
  }),
});
const bucketSchema = z.looseObject({
  BucketName: z.string(),
  BucketEncryption: z
    .looseObject({
      ServerSideEncryptionConfiguration: z.array(
        z.looseObject({
          ServerSideEncryptionByDefault: z.looseObject({ KMSMasterKeyID: z.string().optional() }),
        }),
      ),
    })
    .optional(),
});

function bucketOf(properties: Json): DeployedBucket {
  const { BucketName: name, BucketEncryption: encryption } = bucketSchema.parse(properties);
  const [rule] = encryption?.ServerSideEncryptionConfiguration ?? [];
  return { name, keyArn: rule?.ServerSideEncryptionByDefault.KMSMasterKeyID };
}

function ofType(stacks: readonly StackTemplate[], type: string): readonly Deployed[] {
  return stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([logicalId, { Properties }]) => ({
        logicalId,
        properties: resolve(Properties, stack, stacks),
        stack,
      })),
  );
}

/** Gives buckets and subnets the names that CloudFormation would give them: S3 and EC2 refuse logical ids. */
function nameResources(assemblyFolder: string, subnetIds: string[]): void {
  for (const file of readdirSync(assemblyFolder).filter((name) => name.endsWith('.template.json'))) {
    const path = join(assemblyFolder, file);
    const template = templateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    for (const [logicalId, { Type: type, Properties: properties }] of Object.entries(template.Resources)) {
      if (type === 'AWS::S3::Bucket')
        properties.BucketName ??= `churn-${logicalId.toLowerCase()}`.slice(0, 63);
      if (type === 'AWS::EC2::Subnet') properties.Name = subnetIds.shift() ?? 'subnet-missing';
    }
    writeFileSync(path, JSON.stringify(template));
  }
}

function lastPart(arn: string): string {
  return arn.split('/').at(-1) ?? arn;
}
