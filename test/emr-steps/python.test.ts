import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  identifier,
  literal,
  type PythonValue,
  python,
  pythonLines,
} from '../../emr-steps/composition/python.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

/** What Python makes of literals, as JSON. */
function evaluated(values: readonly PythonValue[]): unknown {
  const program = `import json\nprint(json.dumps([${values.map(literal).join(',\n')}]))`;
  return JSON.parse(execFileSync(pythonExecutable, ['-c', program], { encoding: 'utf8' }));
}

describe('literals', () => {
  it('come out of Python as they went in, hostile ones too', () => {
    const values: readonly PythonValue[] = [
      'plain',
      '"); import os; os.system("true") #',
      `'"'"""'''`,
      'back\\slash \\n \\',
      'line\nbreak\ttab\r\u0000\u007f\u2028',
      '$' + '{not} {a} template %s',
      'déjà vu 🎵 Ã¤',
      0,
      -1.5,
      1e-7 / 3,
      true,
      false,
      null,
      [],
      {},
      ['a', ['b', ['c'.repeat(90)]], { 'key "quoted"': [1, 2, { deep: null }] }],
    ];
    expect(evaluated(values)).toEqual(values);
  });

  it('write a date as the instant it is', () => {
    const program = `import datetime\nprint(${literal(new Date('2018-10-01T12:34:56.789Z'))}.timestamp())`;
    const seconds = execFileSync(pythonExecutable, ['-c', program], { encoding: 'utf8' });
    expect(Number(seconds)).toBe(1538397296.789);
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], [2 ** 60], [new Date('never')]])(
    'refuse %s',
    (value) => {
      expect(() => literal(value)).toThrow();
    },
  );
});

describe('python', () => {
  it('takes the common indentation away and keeps that of nested fragments', () => {
    const body = python`
      first = ${1}

      if first:
          second = ${'two'}
    `;
    const whole = python`
      def run():
          ${body}
          return ${['x']}
    `;
    expect(whole.source).toBe(
      'def run():\n    first = 1\n\n    if first:\n        second = "two"\n    return ["x"]',
    );
  });

  it('writes long collections one element a line, aligned to where they are inserted', () => {
    const words = ['a'.repeat(40), 'b'.repeat(40)];
    expect(
      python`
      if True:
          WORDS = ${words}
    `.source,
    ).toBe(`if True:\n    WORDS = [\n        "${words[0]}",\n        "${words[1]}",\n    ]`);
  });

  it('leaves backslashes as typed, so that patterns read as in Python', () => {
    expect(python`PATTERN = r"\d+\s"`.source).toBe('PATTERN = r"\\d+\\s"');
  });

  it('joins fragments, and takes names only when they are names', () => {
    expect(pythonLines([python`a = 1`, python`b = 2`], 1).source).toBe('a = 1\n\nb = 2');
    expect(python`${identifier('user_days')} = 1`.source).toBe('user_days = 1');
    expect(() => identifier('a; import os')).toThrow('is not a Python identifier');
  });
});
