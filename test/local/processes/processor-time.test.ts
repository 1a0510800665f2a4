import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { processorSeconds, psSeconds } from '../../../local/processes/processor-time.ts';

it('counts what this process used, and what a child used that it waited for', () => {
  const before = processorSeconds([process.pid]);
  const { user, system } = process.cpuUsage();
  expect(before).toBeGreaterThan(((user + system) / 1e6) * 0.9 - 0.1);
  // Busy for .3 s of its own time, however busy the machine is.
  execFileSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 300_000);']);
  if (process.platform === 'linux') expect(processorSeconds([process.pid])).toBeGreaterThan(before + 0.1);
});

it('counts nothing for a process that has exited', () => {
  expect(processorSeconds([2 ** 22 + 1])).toBe(0);
});

it.each([
  ['0:01.50', 1.5],
  [' 02:03', 123],
  ['1-02:03:04', 93_784],
])('reads %j as ps writes it', (text, seconds) => {
  expect(psSeconds(text)).toBe(seconds);
});
