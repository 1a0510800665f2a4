/** Whether the account lets the run's cluster be created: checked once its size is known, before the batch is begun. */
import {
  type Finding,
  findingText,
  quotaFindings,
  roleFinding,
  SERVICE_LINKED_ROLES,
  subnetTagFinding,
  vcpusNeeded,
} from '../../domain/preflight.ts';
import type { ClusterSize } from '../../domain/run.ts';
import { PipelineError } from '../run/errors.ts';
import type { World } from '../run/world.ts';

/**
 * Warns of what may go wrong, and of questions without an answer: then EMR finds out.
 * @throws AccountNotReady naming everything with which the cluster fails for sure, with what to do
 */
export async function checkAccount(world: World, cluster: ClusterSize): Promise<void> {
  const findings = await accountFindings(world, cluster);
  const problems = findings.filter(({ status }) => status === 'problem');
  const fatal = problems.filter(({ stopsRuns }) => stopsRuns);
  if (fatal.length > 0) {
    throw new PipelineError(
      'AccountNotReady',
      `The cluster cannot be started:\n${problems.map((problem) => `- ${findingText(problem)}`).join('\n')}`,
    );
  }
  for (const problem of problems) world.log.warn(findingText(problem));
}

async function accountFindings(
  { account, deployment, log }: World,
  cluster: ClusterSize,
): Promise<readonly Finding[]> {
  const { region, subnetIds } = deployment;
  const ask = async (question: string, answer: Promise<readonly Finding[]>): Promise<readonly Finding[]> => {
    try {
      return await answer;
    } catch (error) {
      log.warn(`it is not known whether ${question}; the run goes on: ${String(error)}`);
      return [];
    }
  };
  const found = await Promise.all([
    ask('the quotas of EC2 suffice', quotasFor(account, cluster, region)),
    ...SERVICE_LINKED_ROLES.map((role) => ask(`the role ${role.name} exists`, roleOf(account, role))),
    ask('EMR may use the subnets', tagsOf(account, subnetIds)),
  ]);
  return found.flat();
}

type Account = World['account'];

async function quotasFor(
  account: Account,
  cluster: ClusterSize,
  region: string,
): Promise<readonly Finding[]> {
  return quotaFindings(vcpusNeeded(cluster), await account.quotas(), region);
}

async function roleOf(
  account: Account,
  role: (typeof SERVICE_LINKED_ROLES)[number],
): Promise<readonly Finding[]> {
  return [roleFinding(role, await account.hasServiceLinkedRole(role))];
}

async function tagsOf(account: Account, subnetIds: readonly string[]): Promise<readonly Finding[]> {
  return [subnetTagFinding(subnetIds, await account.untaggedSubnets(subnetIds))];
}
