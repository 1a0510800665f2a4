/** The whole app, made from a configuration: what `cdk` deploys, what tests look at and what the local run interprets. */
import { App, type Environment, Tags } from 'aws-cdk-lib';
import { ComputeStack } from './compute/compute-stack.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { MonitoringStack } from './monitoring/monitoring-stack.ts';
import { NetworkStack } from './network/network-stack.ts';
import { NotebookStack } from './notebook/notebook-stack.ts';
import { checkPartition } from './partition.ts';
import { PipelineStack } from './pipeline/pipeline-stack.ts';
import { projectContext } from './project-context.ts';
import { StorageStack } from './storage/storage-stack.ts';

export interface BuildAppOptions {
  /** Overrides of cdk.json's context, as `-c key=value` gives them. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Folder of the assembly; default: what the CDK command line says, or a temporary one. */
  readonly outdir?: string;
  /**
   * False leaves out what only a deployment needs: bundling the Lambdas, fetching Python packages, and CDK's own
   * validation of the templates. Seconds instead of minutes.
   */
  readonly bundle?: boolean;
}

export interface ChurnApp {
  readonly app: App;
  readonly configuration: Configuration;
  readonly stacks: {
    readonly storage: StorageStack;
    readonly network: NetworkStack;
    readonly compute: ComputeStack;
    readonly pipeline: PipelineStack;
    readonly monitoring: MonitoringStack;
    /** Only where the configuration asks for it. */
    readonly notebook?: NotebookStack;
  };
}

/**
 * Makes the app and its stacks. Nothing is written before `app.synth()`, but for the scripts of the Spark steps.
 * @throws ConfigurationError when the context does not describe a deployment
 */
export function buildApp(options: BuildAppOptions = {}): ChurnApp {
  const app = new App({
    ...(options.outdir === undefined ? {} : { outdir: options.outdir }),
    // The CDK command line passes the context of cdk.json itself; other callers get the same here.
    context: {
      ...projectContext(),
      ...options.context,
      ...(options.bundle === false ? { 'aws:cdk:bundling-stacks': [] } : {}),
    },
    builtinCloudFormationValidation: options.bundle !== false,
    analyticsReporting: false,
  });
  const configuration = readConfiguration(app.node.getAllContext());
  const { prefix } = configuration;
  const common = { env: environmentOf(configuration), configuration };
  const storage = new StorageStack(app, `${prefix}-storage`, {
    ...common,
    description: 'Churn pipeline: buckets, key, catalog, queries',
  });
  const network = new NetworkStack(app, `${prefix}-network`, {
    ...common,
    key: storage.key,
    description: 'Churn pipeline: isolated network of the cluster',
  });
  const compute = new ComputeStack(app, `${prefix}-compute`, {
    ...common,
    storage,
    network,
    description: 'Churn pipeline: roles and software of the cluster',
  });
  const pipeline = new PipelineStack(app, `${prefix}-pipeline`, {
    ...common,
    storage,
    compute,
    description: 'Churn pipeline: state machine, Lambdas, schedule, notifications',
  });
  const monitoring = new MonitoringStack(app, `${prefix}-monitoring`, {
    ...common,
    pipeline,
    description: 'Churn pipeline: dashboard and alarms',
  });
  const { workspaceBucket } = storage;
  const notebook =
    workspaceBucket === undefined
      ? undefined
      : new NotebookStack(app, `${prefix}-notebook`, {
          ...common,
          storage,
          workspaceBucket,
          releaseLabel: compute.cluster.releaseLabel,
          description: 'Churn pipeline: EMR Studio for notebooks, with a network of its own',
        });
  Tags.of(app).add('churn:pipeline', prefix);
  return {
    app,
    configuration,
    stacks: {
      storage,
      network,
      compute,
      pipeline,
      monitoring,
      ...(notebook === undefined ? {} : { notebook }),
    },
  };
}

function environmentOf({ account, region }: Configuration): Environment {
  const known = {
    account: account ?? process.env.CDK_DEFAULT_ACCOUNT,
    region: region ?? process.env.CDK_DEFAULT_REGION,
  };
  checkPartition(known.region);
  return {
    ...(known.account === undefined ? {} : { account: known.account }),
    ...(known.region === undefined ? {} : { region: known.region }),
  };
}
