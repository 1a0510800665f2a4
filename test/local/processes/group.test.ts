import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { endGroup, groupLives, spawnGroup } from '../../../local/processes/group.ts';
import { identify, isAlive, ownIdentity, type ProcessIdentity } from '../../../local/processes/identity.ts';
import { family } from '../../../local/processes/process-table.ts';
import { projectRoot } from '../../../setup/environment.mjs';

const environment = { PATH: process.env.PATH ?? '' };

/** A group whose script prints "ready" once it has started its processes. */
async function started(script: string): Promise<{ leader: ProcessIdentity; exited: Promise<unknown[]> }> {
  const child = spawnGroup(['/bin/sh', '-c', script], { environment, folder: tmpdir() });
  const exited = once(child, 'exit');
  if (child.stdout === null) throw new Error('the group has no output');
  await once(child.stdout, 'data');
  const leader = child.pid === undefined ? undefined : identify(child.pid);
  if (leader === undefined) throw new Error('the group has no leader');
  return { leader, exited };
}

describe('the identity of a process', () => {
  it('differs from that of a later process with the same id', () => {
    const own = ownIdentity();
    expect(isAlive(own)).toBe(true);
    expect(isAlive({ ...own, startedAt: 'another time' })).toBe(false);
    expect(identify(4_194_304)).toBeUndefined();
  });
});

describe('a process group', () => {
  it('exits with the exit code of its work', async () => {
    const child = spawnGroup(['/bin/sh', '-c', 'exit 7'], { environment, folder: tmpdir() });
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  it('is terminated as a whole, including members in other groups', async () => {
    const { leader } = await started('sleep 60 & setsid sleep 60 & echo ready; sleep 60');
    const members = family(leader.pid).map((pid) => identify(pid));
    expect(members.length).toBeGreaterThanOrEqual(5);
    await endGroup(leader);
    expect(members.filter((member) => member !== undefined && isAlive(member))).toEqual([]);
    expect(groupLives(leader)).toBe(false);
  });

  it('is killed if it does not exit when asked', async () => {
    const { leader } = await started('trap "" TERM; echo ready; sleep 60; sleep 60');
    await endGroup(leader, 200);
    expect(groupLives(leader)).toBe(false);
  });

  it('is not touched once it has exited and another process has its id', async () => {
    const { leader, exited } = await started('echo ready; sleep 60');
    await endGroup({ ...leader, startedAt: 'another time' });
    expect(groupLives(leader)).toBe(true);
    await endGroup(leader);
    await exited;
  });

  it('exits by itself when the process that started it is killed', async () => {
    const program = `
      import { spawnGroup } from '${projectRoot}/local/processes/group.ts';
      const child = spawnGroup(['sleep', '60'], { environment: process.env, folder: '/' });
      console.log(child.pid);
      setInterval(() => {}, 1_000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    const [pid] = await once(starter.stdout, 'data');
    const leader = identify(Number(pid));
    expect(leader).toBeDefined();
    starter.kill('SIGKILL');
    // After eight seconds the guard kills processes that did not exit when asked.
    await expect.poll(() => leader !== undefined && isAlive(leader), { timeout: 12_000 }).toBe(false);
  });
});
