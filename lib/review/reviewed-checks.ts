/** cdk-nag's AwsSolutions pack, with the reviewed findings acknowledged. */
import { type PolicyValidationPluginReport, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { REVIEWED_FINDINGS, type ReviewedFinding } from './reviewed-findings.ts';

/**
 * cdk-nag knows acknowledgements only by a finding's whole text, which holds generated names; so the findings are
 * taken first, and those that a reviewed pattern matches are acknowledged by their text.
 */
export class ReviewedChecks extends AwsSolutionsChecks {
  /** What was acknowledged, by construct. */
  readonly acknowledged: { readonly construct: string; readonly id: string; readonly by: ReviewedFinding }[] =
    [];

  override validateScope(scope: IConstruct): PolicyValidationPluginReport {
    for (const { ruleName, violatingResources } of super.validateScope(scope).violations) {
      for (const { constructPath = '' } of violatingResources) {
        const by = REVIEWED_FINDINGS.find((reviewed) => matches(reviewed, ruleName, constructPath));
        const construct = scope.node.findAll().find(({ node }) => node.path === constructPath);
        if (by === undefined || construct === undefined) continue;
        Validations.of(construct).acknowledge({ id: ruleName, reason: by.reason });
        this.acknowledged.push({ construct: constructPath, id: ruleName, by });
      }
    }
    return super.validateScope(scope);
  }
}

/** A rule's name is `AwsSolutions-IAM5` or `AwsSolutions-IAM5[finding]`. */
function matches({ rule, finding, constructs }: ReviewedFinding, ruleName: string, path: string): boolean {
  const [name, found = ''] = ruleName.split(/\[(.*)\]$/s, 2);
  return name === rule && (finding === undefined || finding.test(found)) && constructs.test(path);
}
