import { describe, expect, test } from 'vitest';
import { CLUSTER_JARS, ivyModule, jarName, refuseOtherMachines } from '../../setup/cluster-jars.mjs';

describe('the jars of the rehearsal', () => {
  test('each is pinned by its SHA-256', () => {
    for (const jars of Object.values(CLUSTER_JARS)) {
      for (const [coordinates, sha256] of Object.entries(jars))
        expect(sha256, coordinates).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test('are downloaded without what they depend on', () => {
    const module = ivyModule(['group:artifact:1.0', 'group:other:2.0']);
    expect(module.match(/transitive="false"/g)).toHaveLength(2);
    expect(module).toContain('org="group" name="other" rev="2.0"');
    expect(jarName('group:artifact:1.0')).toBe('artifact-1.0.jar');
  });

  test('other machines than Linux on x64 or arm64 are refused in one sentence', () => {
    expect(() => refuseOtherMachines({ platform: 'linux', arch: 'arm64' })).not.toThrow();
    expect(() => refuseOtherMachines({ platform: 'darwin', arch: 'arm64' })).toThrow(
      'The rehearsal of the cluster runs on Linux on x64 or arm64, and this machine is darwin on arm64: run it in CI or in a virtual machine.',
    );
  });
});
