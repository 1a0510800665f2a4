/** Reads a synthesized CDK app: the templates of its stacks, and the local files from which its assets would be uploaded. */
import { resolve } from 'node:path';
import { AssetManifestArtifact, CloudAssembly, type CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { resolveText, type StackTemplate, templateSchema } from './intrinsics.ts';

/** Placeholders for values that an app leaves open until it is deployed. Nothing is ever sent there. */
const LOCAL_ACCOUNT = '123456789012';
const LOCAL_REGION = 'us-east-1';

export interface Assembly {
  readonly stacks: readonly StackTemplate[];
  /** Maps `s3://bucket/key` of an asset to the absolute path of its file or folder. */
  readonly assets: ReadonlyMap<string, string>;
}

/** Reads the assembly in a folder (a `cdk.out`), including its nested assemblies. */
export function readAssembly(folder: string): Assembly {
  const assembly = new CloudAssembly(folder);
  const stacks = assembly.stacksRecursively.map(toStackTemplate);
  const assets = new Map<string, string>();
  for (const artifact of assetManifests(assembly)) {
    const base = artifact.assembly.directory;
    for (const file of Object.values(artifact.contents.files ?? {})) {
      if (file.source.path === undefined) continue;
      for (const { bucketName, objectKey } of Object.values(file.destinations)) {
        const url = resolveText(
          { 'Fn::Sub': `s3://${bucketName}/${objectKey}` },
          placeOf(artifact, stacks),
          stacks,
        );
        assets.set(url, resolve(base, file.source.path));
      }
    }
  }
  return { stacks, assets };
}

function assetManifests(assembly: CloudAssembly): readonly AssetManifestArtifact[] {
  return [
    ...assembly.artifacts.filter((artifact) => artifact instanceof AssetManifestArtifact),
    ...assembly.nestedAssemblies.flatMap((nested) => assetManifests(nested.nestedAssembly)),
  ];
}

function toStackTemplate(artifact: CloudFormationStackArtifact): StackTemplate {
  const { account, region } = artifact.environment;
  return {
    stackName: artifact.stackName,
    account: /^\d{12}$/.test(account) ? account : LOCAL_ACCOUNT,
    region: region === 'unknown-region' ? LOCAL_REGION : region,
    template: templateSchema.parse(artifact.template),
  };
}

/** The stack that depends on the asset manifest. */
function placeOf(manifest: AssetManifestArtifact, stacks: readonly StackTemplate[]): StackTemplate {
  const owner = manifest.assembly.stacks.find((stack) =>
    stack.dependencies.some((dependency) => dependency.id === manifest.id),
  );
  const found = stacks.find((stack) => stack.stackName === owner?.stackName) ?? stacks[0];
  if (found === undefined)
    throw new Error(`the app has no stack, so its assets in ${manifest.file} have no destination`);
  return found;
}
