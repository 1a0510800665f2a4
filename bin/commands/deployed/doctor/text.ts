/** Findings as text for people. Pure functions. */
import type { Finding } from '../../../../domain/preflight.ts';

const SIGNS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok',
  problem: 'PROBLEM',
  unknown: 'not known',
};
const WIDTH = 11;

/** One line for each check, what to do below it, and the sum at the end. */
export function findingsText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ status, check, found, whatToDo }) => [
    `${SIGNS[status].padEnd(WIDTH)}${check}: ${found}`,
    ...(whatToDo === '' ? [] : [`${' '.repeat(WIDTH)}What to do: ${whatToDo}.`]),
  ]);
  return `${[...lines, '', sum(findings)].join('\n')}\n`;
}

/** Whether nothing that was found has to be put right. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'problem');
}

function sum(findings: readonly Finding[]): string {
  const count = (status: Finding['status']): number =>
    findings.filter((finding) => finding.status === status).length;
  const problems = count('problem');
  const open = count('unknown') === 0 ? '' : ` ${count('unknown')} could not be checked.`;
  if (problems === 0) return `No problem was found.${open}`;
  const stops = findings.filter(({ stopsRuns }) => stopsRuns).length;
  const stopped =
    stops === 0 ? 'none of them stops a run' : `${stops} of them stop${stops === 1 ? 's' : ''} every run`;
  return `${problems} problem${problems === 1 ? '' : 's'}: ${stopped}.${open}`;
}
