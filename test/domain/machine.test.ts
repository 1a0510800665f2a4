import { describe, expect, it } from 'vitest';
import { type MachineFacts, machineFindings } from '../../domain/machine.ts';

const GIBIBYTE = 1_073_741_824;
const good: MachineFacts = {
  memoryBytes: 16 * GIBIBYTE,
  isContainer: false,
  cores: 4,
  projectFolder: '/project',
  projectIsWritable: true,
  isSetUp: true,
  lakeFolder: '/lake',
  lake: { isWritable: true, runsPrograms: true, hasHardLinks: true, freeBytes: 9e9 },
  foreignVariables: [],
  hostName: 'here',
  hostNameResolves: true,
};
const problems = (facts: Partial<MachineFacts>) =>
  machineFindings({ ...good, ...facts })
    .filter(({ status }) => status === 'problem')
    .map(({ check, found, whatToDo }) => `${check}: ${found}; ${whatToDo}`);

describe('a machine', () => {
  it('that has all that is needed shows no problem', () => {
    expect(problems({})).toEqual([]);
  });

  it('works with one processor, without hard links or an address of its name, and with variables of other programs', () => {
    const facts: MachineFacts = {
      ...good,
      cores: 1,
      hostNameResolves: false,
      foreignVariables: ['PYTHONPATH', 'SPARK_HOME'],
      lake: { ...good.lake, hasHardLinks: false },
    };
    expect(problems(facts)).toEqual([]);
    const text = machineFindings(facts).map(({ found }) => found);
    expect(text).toContain('PYTHONPATH, SPARK_HOME: kept out of the set-up and of every step');
    expect(text).toContain('writable, without hard links: files are copied instead');
  });

  it.each<[string, Partial<MachineFacts>, RegExp]>([
    [
      'too little memory',
      { memoryBytes: GIBIBYTE, isContainer: true },
      /^memory: 1\.0 GiB, the limit of this container/,
    ],
    ['a read-only checkout', { projectIsWritable: false }, /cannot be written to.*copy the project/],
    ['a lake on noexec', { lake: { ...good.lake, runsPrograms: false } }, /noexec.*--lake/],
    ['a read-only lake', { lake: { ...good.lake, isWritable: false } }, /^lake \/lake: cannot be written to/],
    ['a comma in the path of the lake', { lakeFolder: '/a,b' }, /comma/],
    ['a full disk', { lake: { ...good.lake, freeBytes: 1e6 } }, /^free space for the lake: 1 MB/],
  ])('is refused in one sentence with the remedy: %s', (_, facts, sentence) => {
    expect(problems(facts)).toEqual([expect.stringMatching(sentence)]);
  });
});
