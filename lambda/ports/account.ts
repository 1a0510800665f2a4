/** What the AWS account allows and has. */
import type { ByMarket, QuotaState } from '../../domain/preflight.ts';

export interface Account {
  /** The quotas of standard instances in this Region, with what is in use now. */
  quotas(): Promise<ByMarket<QuotaState>>;
  /** Whether the account has a service-linked role. */
  hasServiceLinkedRole(role: { readonly name: string }): Promise<boolean>;
  /** Those of the subnets that EMR may not use, because they lack its tag. */
  untaggedSubnets(subnetIds: readonly string[]): Promise<readonly string[]>;
}
