import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEDGER, PLAN } from '../../../domain/lake-objects.ts';
import { fileUri } from '../../../local/adapters/file-uris.ts';
import { isSmallRun, javaOptions } from '../../../local/spark/java-options.ts';
import { javaHome } from '../../../setup/environment.mjs';
import { temporaryFolder, writePlan } from '../../support/spark-lake.ts';

let lake: string;
beforeEach(async () => {
  lake = await temporaryFolder();
});
afterEach(() => rm(lake, { recursive: true, force: true }));

async function isSmall(newBytes: number, name = 'a.json'): Promise<boolean> {
  await writePlan(lake, {
    runId: 'run-1',
    files: [{ uri: `file:///log/${name}`, etag: 'a', bytes: newBytes }],
  });
  return isSmallRun(fileUri(join(lake, PLAN.of('run-1').key)), lake);
}

describe('the Java options of a run', () => {
  it('compile less for a small run, counting compressed files with their uncompressed size', async () => {
    expect(await isSmall(100_000_000)).toBe(true);
    expect(await isSmall(100_000_000, 'a.json.gz')).toBe(false);
    expect(await isSmall(1_000_000_000)).toBe(false);
  });

  it('count the history', async () => {
    const ledger = join(lake, LEDGER.of('b').key);
    await mkdir(dirname(ledger), { recursive: true });
    const rows = (bytes: number) =>
      `{"uri": "file:///a.json", "etag": "a", "bytes": ${bytes}, "rows_read": 1}\n`;
    await writeFile(ledger, rows(1_000_000_000));
    expect(await isSmall(1_000)).toBe(true);
    await writeFile(ledger, rows(11_000_000_000));
    expect(await isSmall(1_000)).toBe(false);
  });

  it('accept a folder with blanks in its name', () => {
    expect(javaOptions('/my lake/scratch', true)).toMatch(/^"-Djava.io.tmpdir=\/my lake\/scratch" .*Tiered/);
    expect(javaOptions('/scratch', false)).not.toContain('Tiered');
  });

  it.each([true, false])('use no BLAS of the machine (small run: %s)', (isSmall) => {
    expect(javaOptions('/scratch', isSmall)).toContain(' -Ddev.ludovic.netlib.blas.nativeLib=none ');
  });

  it('keep as much room for compiled code in a small run as Java does in others', async () => {
    const java = join(javaHome, 'bin', 'java');
    const flags = `"${java}" ${javaOptions('/scratch', true)} -XX:+PrintFlagsFinal -version`;
    const { stdout } = await execa(flags, { shell: true });
    expect(stdout).toMatch(/ReservedCodeCacheSize\s+= 251658240 /);
  });

  it.each([true, false])("are accepted by the project's Java (small run: %s)", async (isSmall) => {
    const java = join(javaHome, 'bin', 'java');
    const options = `${javaOptions('/scratch', isSmall)} -XX:+PrintCommandLineFlags`;
    const { stdout } = await execa(`"${java}" ${options} -version`, { shell: true });
    expect(stdout).toContain(isSmall ? 'TieredStopAtLevel=1' : 'compiler directives added');
  });
});
