/**
 * The project's rooms by floor, and what each may import: one line for each arrow, with the reason. A test compares
 * this with the imports of the sources, in both directions; `npm run graph` prints it with the number of imports.
 */
import type { Floors } from './walls.ts';

export const FLOORS: Floors = [
  // Ground: what imports no other room.
  [{ name: 'domain' }, { name: 'setup' }, { name: 'local/processes' }],

  [
    {
      name: 'emr-steps/composition',
      uses: { domain: 'the schemas from which the types of the scripts are made' },
    },
  ],

  [
    {
      name: 'lib/review',
      uses: {
        domain: 'names of functions, in the paths of findings',
        setup: 'the root of the project, to synthesize another revision',
      },
    },
    {
      name: 'lib',
      uses: { domain: 'prices, run settings and the names of functions', setup: 'the root of the project' },
    },
    { name: 'lambda/ports', uses: { domain: 'plain data that passes through an interface' } },
    { name: 'generator', uses: { domain: 'pages, states and defects of the log that it writes' } },
    {
      name: 'emr-steps/fragments',
      uses: {
        domain: 'tables, features and models, from which PySpark is made',
        'emr-steps/composition':
          'the template that encodes values, and fragments that declare what they need',
      },
    },
  ],

  [
    {
      name: 'emr-steps',
      uses: {
        domain: 'tables, features and the shapes of results',
        'emr-steps/composition': 'the template that encodes values, and the composition of a script',
        'emr-steps/fragments': 'the parts of a script',
      },
    },
    {
      name: 'lambda/run',
      uses: {
        domain: 'shapes and places of the objects of a run',
        'lambda/ports': 'the world, as interfaces',
      },
    },
    {
      name: 'lib/storage',
      uses: { domain: 'tables, columns and queries', lib: 'configuration, ARNs and log groups' },
    },
    {
      name: 'lib/network',
      uses: {
        domain: 'the tag without which EMR may not use a subnet',
        lib: 'configuration, ARNs and log groups',
      },
    },
    {
      name: 'local/adapters',
      uses: {
        domain: 'tables and keys of the lake',
        setup: 'where the extensions of DuckDB are',
        'local/processes': 'process groups, and locks held by processes',
        'lambda/ports': 'the interfaces that it implements',
      },
    },
  ],

  [
    {
      name: 'lambda/aws',
      uses: {
        domain: 'names of tags, metrics and environment variables',
        'lambda/ports': 'the interfaces that it implements',
        'lambda/run': 'the context that it gives to a function, and errors',
      },
    },
    {
      name: 'lib/compute',
      uses: {
        domain: 'Spark settings, keys of the lake and names of steps',
        setup: 'where the Python packages are built',
        lib: 'configuration and ARNs',
        'emr-steps': 'the scripts, as assets',
        'lib/storage': 'buckets, keys and tables',
        'lib/network': 'subnets and security groups',
      },
    },
    {
      name: 'local/spark',
      uses: {
        domain: 'Spark settings, keys of the lake and the plan',
        setup: 'where Spark, Java and Python are',
        'local/processes': 'process groups',
        'local/adapters': 'file URIs',
      },
    },
  ],

  // One room for each Lambda function.
  [
    {
      name: 'lambda/start-training',
      uses: {
        domain: 'request, plan, sizing and cost',
        'lambda/ports': 'the world, as interfaces',
        'lambda/run': 'lease, objects and errors of a run',
        'lambda/aws': 'its handler connects the adapters',
      },
    },
    {
      name: 'lambda/decide-training',
      uses: {
        domain: 'the result of BuildFeatures, what was last trained on, and the decision that is written',
        'lambda/run': 'lease, objects and errors of a run, and stored models',
        'lambda/aws': 'its handler connects the adapters',
      },
    },
    {
      name: 'lambda/choose-model',
      uses: {
        domain: 'results, metrics and the choice that is written',
        'lambda/run': 'lease, objects and errors of a run',
        'lambda/aws': 'its handler connects the adapters',
      },
    },
    {
      name: 'lambda/store-metrics',
      uses: {
        domain: 'results, metrics and the counts that must agree',
        'lambda/run': 'lease, cost, detail and record of a run',
        'lambda/aws': 'its handler connects the adapters',
      },
    },
    {
      name: 'lambda/close-run',
      uses: {
        domain: 'errors, results and keys of the lake',
        'lambda/ports': 'the world, as interfaces',
        'lambda/run': 'lease, cost and record of a run',
        'lambda/aws': 'its handler connects the adapters',
      },
    },
    {
      name: 'emr-steps/generation',
      uses: {
        setup: 'where ruff and the generator of types are',
        'emr-steps/composition': 'schemas and fragments',
        'emr-steps': 'the scripts that it writes',
      },
    },
    {
      name: 'lib/notebook',
      uses: {
        domain: 'tags of clusters, and folders of the lake',
        setup: 'the root of the project, below which the kernel is',
        lib: 'configuration, ARNs and log groups',
        'lib/storage': 'what the lake is made of',
        'lib/network': 'the security groups of a cluster',
        'lib/compute': 'the role of EMR, and the encryption of a cluster',
      },
    },
    {
      name: 'lib/pipeline',
      uses: {
        domain: 'names of steps, functions and errors',
        setup: 'the root, below which the handlers are bundled',
        lib: 'configuration, ARNs and log groups',
        'lib/storage': 'buckets, keys and tables',
        'lib/compute': 'the cluster and the scripts',
      },
    },
  ],

  [
    {
      name: 'lambda/render-report',
      uses: {
        domain: 'labels of features, models and metrics',
        'lambda/run': 'the detail of a run',
        'lambda/aws': 'its handler connects the adapters',
      },
    },
    {
      name: 'lib/monitoring',
      uses: {
        domain: 'metrics, thresholds and names of functions',
        lib: 'configuration and ARNs',
        'lib/pipeline': 'what is watched',
      },
    },
  ],

  [
    {
      name: 'lib/app',
      holds: ['lib/app.ts'],
      uses: {
        lib: 'configuration',
        'lib/storage': 'its stack',
        'lib/network': 'its stack',
        'lib/compute': 'its stack',
        'lib/pipeline': 'its stack',
        'lib/monitoring': 'its stack',
        'lib/notebook': 'its stack',
      },
    },
  ],

  [
    {
      name: 'local/template',
      uses: {
        domain: 'the name of the notifier',
        setup: 'the root of the project',
        'lib/app': 'the app that it synthesizes',
      },
    },
  ],

  [
    {
      name: 'local/interpreter',
      uses: { domain: 'errors meant for users', 'local/template': 'JSON values of the definition' },
    },
  ],

  [
    {
      name: 'local/handlers',
      uses: {
        domain: 'keys of the lake, tags of clusters and the notice',
        'lambda/ports': 'the query engine',
        'lambda/run': 'how a function is called',
        'local/adapters': 'clusters and executions of this machine',
        'local/spark': 'runs a script',
        'lib/pipeline': 'the step of a state, and an error that the notifier expects',
        'local/template': 'JSON values of the definition',
        'local/interpreter': 'the interface that a handler implements',
      },
    },
  ],

  [
    {
      name: 'local/run',
      uses: {
        domain: 'plan, results and keys of the lake',
        setup: "the root of the project, below which the report's script is",
        generator: 'makes a log where there is none',
        'lambda/ports': 'the interfaces that it fills',
        'lambda/run': 'the context that it gives to a function',
        'lambda/start-training': 'runs here as in Lambda',
        'lambda/decide-training': 'runs here as in Lambda',
        'lambda/choose-model': 'runs here as in Lambda',
        'lambda/store-metrics': 'runs here as in Lambda',
        'lambda/close-run': 'runs here as in Lambda',
        'lambda/render-report': 'runs here as in Lambda',
        'local/adapters': 'folders and processes instead of AWS',
        'local/spark': 'progress of a step',
        'local/template': 'the synthesized definition',
        'local/interpreter': 'runs the state machine',
        'local/handlers': 'run its tasks',
      },
    },
  ],

  [
    {
      name: 'bin/terminal',
      uses: {
        'lambda/start-training': 'what a dry run has found',
        domain: 'labels of models and metrics',
        'local/spark': 'progress of a step',
        'local/interpreter': 'what happens to a state',
        'local/run': 'the summary of a run, and its observer',
      },
    },
  ],

  [
    {
      name: 'bin/commands',
      uses: {
        domain: 'the request, and keys and tables of the lake',
        generator: 'the command `generate`',
        'lambda/run': 'objects of the lake, and putting a model in charge',
        'lambda/aws': 'the lake of a deployment, its runs and clusters',
        'lambda/ports': 'the clock, answers of queries, and what a dry run of a deployment may ask',
        'lambda/start-training': 'dry runs',
        'local/adapters': 'the lake of a local run',
        'local/template': 'JSON values of the definition',
        'local/interpreter': 'the states of a definition, and what happens to them',
        'local/run': 'the command `run`',
        'bin/terminal': 'shows a run and its result',
      },
    },
  ],

  [
    {
      name: 'bin',
      uses: {
        setup: 'installs what is missing before `npx churn`',
        domain: 'errors meant for users',
        lib: 'the warning of a deployment that notifies nobody',
        'lib/review': 'checks of the app',
        'lib/app': 'the app',
        'bin/commands': 'the commands',
      },
    },
    {
      name: 'bench',
      uses: {
        domain: 'keys of the lake and columns of the log',
        setup: 'the root of the project',
        generator: 'logs of a given size',
        'lambda/ports': 'a simulated store',
        'lambda/run': 'objects of the lake',
        'lambda/start-training': 'finding new files, whose memory it measures',
        'emr-steps': 'the scripts whose models are compared',
        'local/spark': 'the environment in which they run',
        'local/processes': 'all processes of a run, to measure them',
        'local/adapters': 'the address of a folder',
        'local/template': 'the synthesized definition that a measured run interprets',
        'local/interpreter': 'what happens to a state',
        'local/run': 'a run that measures itself, and its summary',
        'bin/terminal': 'how figures are written',
        'bin/commands': 'checks of a number among the options',
      },
    },
    {
      name: 'tools',
      uses: {
        domain: 'what the derived pages describe',
        setup: 'the root of the project',
        lib: 'the keys of the configuration',
        'local/template': 'the synthesized definition, whose picture is drawn',
        'local/interpreter': 'the states of a definition',
      },
    },
  ],

  [
    { name: 'test', usesAll: 'tests look into every room' },
    {
      name: 'vitest.config.ts',
      uses: {
        setup: 'the root of the project',
        tools: 'sorts the tests by what they need, and by how long they take',
      },
    },
  ],
];
