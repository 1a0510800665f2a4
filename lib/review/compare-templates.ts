/**
 * `npm run templates -- <revision> [-c key=value ...]`: synthesizes the app at a revision of the repository and as it is
 * now, and prints what would be deployed differently. Exits with 1 when anything would.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { z } from 'zod';
import { projectRoot } from '../../setup/environment.mjs';
import { templateDifference } from './templates/template-difference.ts';
import type { Templates } from './templates/template-graph.ts';

/** Any account and Region will do: nothing is looked up there. */
const PLACE = { CDK_DEFAULT_ACCOUNT: '111122223333', CDK_DEFAULT_REGION: 'eu-central-1' } as const;

const cdkFileSchema = z.looseObject({ app: z.string(), context: z.record(z.string(), z.unknown()) });

/** Synthesizes the app of the project in a folder, by its own command, without bundling. */
function synthesize(project: string, outdir: string, context: Readonly<Record<string, string>>): Templates {
  const cdkFile = cdkFileSchema.parse(JSON.parse(readFileSync(join(project, 'cdk.json'), 'utf8')));
  const { status } = spawnSync(cdkFile.app, {
    cwd: project,
    shell: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...PLACE,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdkFile.context, ...context, 'aws:cdk:bundling-stacks': [] }),
    },
  });
  if (status !== 0) throw new Error(`the app in ${project} could not be synthesized (exit code ${status})`);
  return new Map(new CloudAssembly(outdir).stacks.map(({ stackName, template }) => [stackName, template]));
}

/** Gives `use` a copy of the repository as it was at a revision; the installed packages are today's. */
function withRevision<Result>(revision: string, folder: string, use: (project: string) => Result): Result {
  const project = join(folder, 'revision');
  const git = (...args: readonly string[]): void => {
    execFileSync('git', [...args], { cwd: projectRoot, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  git('worktree', 'add', '--quiet', '--detach', project, revision);
  try {
    for (const installed of ['node_modules', '.environment']) {
      if (existsSync(join(projectRoot, installed)))
        symlinkSync(join(projectRoot, installed), join(project, installed));
    }
    return use(project);
  } finally {
    git('worktree', 'remove', '--force', project);
  }
}

function contextOf(options: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    options.map((option) => {
      const [, key, value] = /^([^=]+)=(.*)$/s.exec(option) ?? [];
      if (key === undefined || value === undefined) throw new Error(`-c ${option}: must be key=value`);
      return [key, value];
    }),
  );
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { context: { type: 'string', short: 'c', multiple: true, default: [] } },
});
const [revision, ...surplus] = positionals;
if (revision === undefined || surplus.length > 0) {
  console.error('Usage: npm run templates -- <git revision> [-c key=value ...]');
  process.exitCode = 2;
} else {
  const context = contextOf(values.context);
  const folder = mkdtempSync(join(tmpdir(), 'churn-templates-'));
  try {
    const then = withRevision(revision, folder, (project) =>
      synthesize(project, join(folder, 'then'), context),
    );
    const now = synthesize(projectRoot, join(folder, 'now'), context);
    const lines = templateDifference(then, now);
    for (const line of lines) console.log(line);
    const stacks = `${now.size} stacks`;
    console.log(
      lines.length === 0
        ? `${stacks}: the same as at ${revision}, but for ids, hashes, Sids, descriptions, comments and paths`
        : `${stacks}: ${lines.length} differences from ${revision} (the first)`,
    );
    process.exitCode = lines.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
