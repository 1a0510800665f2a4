/** What counts as a difference between two trainings. */
import { describe, expect, it } from 'vitest';
import { differences } from '../../domain/verification.ts';

const between = (stored: unknown, again: unknown) =>
  differences('model.json', stored, again).map(({ place }) => place);

describe('two trainings', () => {
  it('agree where numbers are within a millionth of their size, and where they are nothing but rounding', () => {
    expect(between([1e9, -2, 1e-17, 0], [1e9 + 900, -2.0000015, -3e-16, 5e-10])).toEqual([]);
    expect(between([1e9, -2, 1e-6], [1e9 + 1_100, -2.000003, 1.1e-6])).toEqual([
      'model.json [0]',
      'model.json [1]',
      'model.json [2]',
    ]);
  });

  it('differ by the place of a value, whatever it is nested in', () => {
    const stored = { kind: 'segments', segments: { regression: [{ weights: [0.5, 1] }] }, testScores: null };
    const again = { kind: 'segments', segments: { regression: [{ weights: [0.5, 2] }] }, testScores: {} };
    expect(differences('model.json', stored, again)).toEqual([
      { place: 'model.json segments.regression[0].weights[1]', stored: 1, again: 2 },
      { place: 'model.json testScores', stored: null, again: {} },
    ]);
  });

  it('differ where one has a key, a document or an element more', () => {
    expect(between({ a: 1 }, { b: 1 })).toEqual(['model.json a', 'model.json b']);
    expect(between([1, 2], [1])).toEqual(['model.json length']);
    expect(between({ list: [] }, { list: [1] })).toEqual(['model.json list.length']);
    expect(differences('model/data', [1], undefined)).toEqual([
      { place: 'model/data', stored: [1], again: undefined },
    ]);
  });

  it('are compared with their types, and not by how long they took or where they are stored', () => {
    expect(between({ value: 1 }, { value: '1' })).toEqual(['model.json value']);
    expect(
      between(
        { modelUri: 'file:///lake', evaluations: [{ model: 'segments', fitSeconds: 3 }] },
        { modelUri: 'file:///scratch', evaluations: [{ model: 'segments', fitSeconds: 9 }] },
      ),
    ).toEqual([]);
  });
});
