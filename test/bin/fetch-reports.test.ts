import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { copyReports } from '../../bin/commands/deployed/fetch-reports.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { MemoryPorts } from '../support/memory-ports.ts';

it('copies every report and their index into one folder, where the links between them work', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'churn-reports-'));
  try {
    const ports = new MemoryPorts();
    const lake = new Lake(ports.objects, 's3://lake');
    await expect(copyReports(lake, folder)).rejects.toThrow(/no s3:\/\/lake\/reports\/index\.html yet/);
    for (const name of ['run-1', 'run-2', 'index']) {
      ports.objects.put(`s3://lake/reports/${name}.html`, `page ${name}`);
    }
    expect(await copyReports(lake, folder)).toBe(join(folder, 'index.html'));
    expect((await readdir(folder)).sort()).toEqual(['index.html', 'run-1.html', 'run-2.html']);
    expect(await readFile(join(folder, 'run-2.html'), 'utf8')).toBe('page run-2');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
