/** What a run would do, as text. */
import type { LeftOut } from '../../domain/listing.ts';
import type { DryRun } from '../../lambda/start-training/dry-run.ts';
import { count } from './words.ts';

/** A few lines for people; nothing was written. */
export function dryRunText(found: DryRun): string {
  if (found.decision !== 'run') {
    const head =
      found.decision === 'refused' ? 'The run would be refused: ' : 'There would be nothing to do: ';
    return `${head}${found.reason ?? ''}\nNothing was written.\n`;
  }
  const cost =
    found.estimatedUsd === 0 ? 'none, on this machine' : `about ${found.estimatedUsd.toFixed(2)} USD`;
  const time = found.estimatedMinutes === 0 ? '' : `, ${count(found.estimatedMinutes)} minutes`;
  return [
    'The run would read:',
    `  New         ${filesText(found.new)}`,
    `  Changed     ${filesText(found.changed)}`,
    `  Gone        ${filesText(found.gone)}`,
    `  Not read    ${count(found.passedOver.reduce((sum, { count: files }) => sum + files, 0))}`,
    `  Size        ${(found.bytes / 1e6).toFixed(1)} MB`,
    `  Cost        ${cost}${time}`,
    ...found.warnings.map((warning) => `  Warning     ${warning}.`),
    'Nothing was written.',
    '',
  ].join('\n');
}

function filesText({ count: files, first }: LeftOut): string {
  if (files === 0) return 'none';
  return `${count(files)}${first.length === 0 ? '' : `: ${first.join(', ')}${files > first.length ? ', ...' : ''}`}`;
}
