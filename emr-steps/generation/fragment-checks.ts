/** Finds what a fragment forgot to declare, before Spark does. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { projectRoot, ruffExecutable } from '../../setup/environment.mjs';
import { compose } from '../composition/compose.ts';
import { type Fragment, inOrder } from '../composition/fragment.ts';

/** Undefined names, unused imports and definitions that hide others. */
const RULES = 'F821,F401,F811';

/**
 * What is wrong with the needs and imports of the fragments, and of all that they need: each is composed with its
 * needs alone, so that no neighbour brings what it forgot. Empty when nothing is.
 */
export async function undeclaredNames(fragments: readonly Fragment[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'churn-fragments-'));
  try {
    const ordered = inOrder(fragments);
    await Promise.all(
      ordered.map((one, index) => writeFile(join(folder, `${index}.py`), compose([one], one.file))),
    );
    const config = join(projectRoot, 'ruff.toml');
    const { stdout, stderr, exitCode } = await execa(
      ruffExecutable,
      [
        ...['check', '--quiet', '--no-cache', '--output-format=concise', '--config', config],
        ...['--config', 'include=["*.py"]', '--select', RULES, '.'],
      ],
      { cwd: folder, reject: false },
    );
    const findings = [...stdout.matchAll(/^(\d+)\.py:\d+:\d+: (.+)$/gm)].map(
      ([, index, finding]) => `${ordered[Number(index)]?.file}: ${finding}`,
    );
    if (findings.length === 0 && exitCode !== 0) throw new Error(`ruff failed: ${stdout}${stderr}`);
    return [...new Set(findings)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
