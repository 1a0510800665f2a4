/**
 * How YARN places the containers of a step: one executor per unit, and the application master on a core node, which is on
 * demand. docs/decisions/executor-placement.md says why.
 */
import type { EmrCreateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';

type Classification = EmrCreateCluster.ConfigurationProperty;

/** EMR gives core nodes this label once node labels are on. */
export const CORE_LABEL = 'CORE';
/** The application master asks YARN for one core; it needs next to nothing of it. */
const APPLICATION_MASTER_CORES = 1;

export interface YarnSettings {
  /** Cores of the executor that fills a unit. */
  readonly executorCores: number;
  /** Whether application masters may run on core nodes only. */
  readonly nodeLabels: boolean;
}

/** EMR's classifications for YARN. */
export function yarnClassifications({ executorCores, nodeLabels }: YarnSettings): Classification[] {
  return [
    {
      classification: 'yarn-site',
      properties: {
        // An executor and the application master fit on one instance; two executors never do, however much memory it has.
        'yarn.nodemanager.resource.cpu-vcores': String(executorCores + APPLICATION_MASTER_CORES),
        ...(nodeLabels ? LABELS_ON : {}),
      },
    },
    {
      classification: 'capacity-scheduler',
      properties: {
        // The default calculator counts memory only.
        'yarn.scheduler.capacity.resource-calculator':
          'org.apache.hadoop.yarn.util.resource.DominantResourceCalculator',
        ...(nodeLabels ? LABEL_FOR_ALL_QUEUES : {}),
      },
    },
  ];
}

/** These two turn labels on; EMR then sets where they are stored, and which nodes have them, itself. */
const LABELS_ON = {
  'yarn.node-labels.enabled': 'true',
  'yarn.node-labels.am.default-node-label-expression': CORE_LABEL,
} as const;

/** Without its share of the label no queue may run anything on a core node, and application masters would wait forever. */
const LABEL_FOR_ALL_QUEUES = Object.fromEntries(
  ['root', 'root.default'].flatMap((queue) => [
    [`yarn.scheduler.capacity.${queue}.accessible-node-labels`, '*'],
    [`yarn.scheduler.capacity.${queue}.accessible-node-labels.${CORE_LABEL}.capacity`, '100'],
    [`yarn.scheduler.capacity.${queue}.accessible-node-labels.${CORE_LABEL}.maximum-capacity`, '100'],
  ]),
);
