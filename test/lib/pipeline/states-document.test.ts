/** The generated picture and table of the states. `vitest -u` writes the documents that the last two tests check. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STATE_NAMES } from '../../../domain/states.ts';
import {
  type PicturedMachine,
  type PicturedState,
  picture,
  statesDocument,
  withPicture,
} from '../../../lib/pipeline/states-document.ts';
import { projectRoot } from '../../../setup/environment.mjs';
import { definition } from './definition.ts';

const SMALL: PicturedMachine = {
  StartAt: 'Look',
  States: {
    Look: {
      Type: 'Task',
      Next: 'Decide',
      Catch: [
        { ErrorEquals: ['A.GoneException', 'A.Gone'], Next: 'Nothing' },
        { ErrorEquals: ['States.ALL'], Next: 'Failed' },
      ],
    },
    Decide: {
      Type: 'Choice',
      Choices: [{ StringEquals: 'work', Next: 'Try' }, { Next: 'Nothing' }],
      Default: 'Failed',
    },
    Try: {
      Type: 'Parallel',
      End: true,
      Branches: [
        {
          StartAt: 'First',
          States: { First: { Type: 'Task', Next: 'Last' }, Last: { Type: 'Task', End: true } },
        },
      ],
    },
    Nothing: { Type: 'Succeed' },
    Failed: { Type: 'Fail' },
  },
};

describe('the picture', () => {
  test('has every transition of a state machine, by its kind', () => {
    expect(picture(SMALL).split('\n')).toEqual([
      '```mermaid',
      'flowchart TD',
      '  start([schedule, console or command line]) --> Look',
      '  Look --> Decide',
      '  Look -.->|Gone| Nothing',
      '  Look -.->|any failure| Failed',
      '  Decide{Decide}',
      '  Decide -->|work| Try',
      '  Decide -->|condition| Nothing',
      '  Decide -->|otherwise| Failed',
      '  subgraph Try',
      '    First --> Last',
      '  end',
      '  Nothing([Nothing])',
      '  Failed([Failed])',
      '  Try --> done([the run has succeeded])',
      '```',
    ]);
  });

  test('of the deployed definition has as many arrows as the definition has transitions', () => {
    const transitions = (states: readonly PicturedState[]): number =>
      states.reduce(
        (sum, { Next, Choices = [], Catch = [], Branches = [] }) =>
          sum +
          (Next === undefined ? 0 : 1) +
          Choices.length +
          Catch.length +
          Branches.reduce((inner, { States }) => inner + transitions(Object.values(States)), 0),
        0,
      );
    const arrows = picture(definition).match(/-->|-\.->/g) ?? [];
    // One more leads to the first state, and one from the last.
    expect(arrows).toHaveLength(transitions(Object.values(definition.States)) + 2);
  });

  test('replaces what the marked section of a document had, and nothing else', () => {
    const document = (section: string): string =>
      `before\n<!-- states: generated -->\n${section}\n<!-- /states -->\nafter\n`;
    expect(withPicture(document('old'), SMALL)).toBe(document(picture(SMALL)));
    expect(() => withPicture('before\nafter\n', SMALL)).toThrow('has no section');
  });
});

describe('the page', () => {
  test('has a row for each state, with what runs it and for how long', () => {
    const rows = statesDocument(definition)
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(2);
    expect(rows.map((row) => row.split(' | ')[0]?.slice(2))).toEqual([...STATE_NAMES]);
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| PlanRun \| Lambda `start-training` \| 12 min \| Checks /),
    );
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| IngestEvents \| Spark step `ingest-events` on EMR \| 240 min \| Turns /),
    );
  });

  test('is refused when the definition has other states', () => {
    const { Failed: _, ...others } = definition.States;
    expect(() => statesDocument({ ...definition, States: others })).toThrow(
      'the definition does not have Failed of domain/states.ts',
    );
    expect(() =>
      statesDocument({ ...definition, States: { ...definition.States, Unknown: { Type: 'Succeed' } } }),
    ).toThrow('domain/states.ts does not have Unknown');
  });
});

describe('the documents are as generated', () => {
  test('docs/states.md', async () => {
    await expect(statesDocument(definition)).toMatchFileSnapshot(join(projectRoot, 'docs/states.md'));
  });

  test('the picture in README.md', async () => {
    const path = join(projectRoot, 'README.md');
    await expect(withPicture(readFileSync(path, 'utf8'), definition)).toMatchFileSnapshot(path);
  });
});
