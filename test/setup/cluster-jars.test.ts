import { describe, expect, test } from 'vitest';
import { ATHENA_FILES } from '../../setup/athena-engine.mjs';
import { CLUSTER_JARS, refuseOtherMachines } from '../../setup/cluster-jars.mjs';
import { fileName, ivyModule } from '../../setup/maven-files.mjs';

describe('the files of the rehearsal', () => {
  test('each is pinned by its SHA-256', () => {
    for (const jars of [...Object.values(CLUSTER_JARS), ATHENA_FILES]) {
      for (const [coordinates, sha256] of Object.entries(jars))
        expect(sha256, coordinates).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test('are downloaded without what they depend on', () => {
    const module = ivyModule(['group:artifact:1.0', 'group:other:2.0', 'group:third:3:zip']);
    expect(module.match(/transitive="false"/g)).toHaveLength(3);
    expect(module).toContain('org="group" name="other" rev="2.0"');
    expect(module).toContain('<artifact name="third" type="zip" ext="zip"/>');
    expect(fileName('group:artifact:1.0')).toBe('artifact-1.0.jar');
    expect(fileName('group:third:3:zip')).toBe('third-3.zip');
  });

  test('other machines than Linux on x64 or arm64 are refused in one sentence', () => {
    expect(() => refuseOtherMachines({ platform: 'linux', arch: 'arm64' })).not.toThrow();
    expect(() => refuseOtherMachines({ platform: 'darwin', arch: 'arm64' })).toThrow(
      'The rehearsal of the cluster runs on Linux on x64 or arm64, and this machine is darwin on arm64: run it in CI or in a virtual machine.',
    );
  });
});
