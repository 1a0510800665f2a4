/** What an alarm shows to the operator: its name, what happened, and where the runbook is. */
import type { CustomThreshold } from 'cdk-monitoring-constructs';
import type { Configuration } from '../configuration.ts';

export interface DescribedAlarm {
  /** Name of the alarm, without that of the deployment. */
  readonly name: string;
  readonly description: string;
  /** Name of a page in docs/runbooks, without `.md`. */
  readonly runbook: string;
}

export type AlarmText = Pick<
  CustomThreshold,
  'alarmNameOverride' | 'alarmDescriptionOverride' | 'runbookLink'
>;

/** A link where the configuration says at which URL the runbooks are; otherwise the description names the file. */
export function alarmText(
  { prefix, runbookRoot }: Pick<Configuration, 'prefix' | 'runbookRoot'>,
  { name, description, runbook }: DescribedAlarm,
): AlarmText {
  const alarmNameOverride = `${prefix}-${name}`;
  return runbookRoot === undefined
    ? {
        alarmNameOverride,
        alarmDescriptionOverride: `${description}. What to do is in docs/runbooks/${runbook}.md of the project's repository.`,
      }
    : {
        alarmNameOverride,
        alarmDescriptionOverride: description,
        runbookLink: `${runbookRoot}/${runbook}.md`,
      };
}
