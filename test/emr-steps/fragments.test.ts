/** Fragments: what each says that it needs is what it uses, and composition puts it in order. */
import { describe, expect, it } from 'vitest';
import { compose, definedNames } from '../../emr-steps/composition/compose.ts';
import { type Fragment, fragment, inOrder } from '../../emr-steps/composition/fragment.ts';
import { mergedImports } from '../../emr-steps/composition/imports.ts';
import { Python, python } from '../../emr-steps/composition/python.ts';
import { undeclaredNames } from '../../emr-steps/generation/fragment-checks.ts';
import { STEPS } from '../../emr-steps/steps.ts';

const steps: readonly Fragment[] = Object.values(STEPS).map((step) => step.part);
const all = inOrder(steps);

/** A fragment in a file of that name which does not exist. */
const made = (name: string, code: string, needs: readonly Fragment[] = [], imports: readonly string[] = []) =>
  fragment({
    file: new URL(`../../emr-steps/${name}.ts`, import.meta.url),
    needs,
    imports,
    code: new Python(code),
  });

describe('every fragment', () => {
  it('declares each name that it uses, and imports nothing else', async () => {
    expect(all.length).toBeGreaterThan(30);
    expect(await undeclaredNames(steps)).toEqual([]);
  });

  it('needs only what it uses', () => {
    const idle = all.flatMap((one) =>
      one.needs
        .filter(
          (need) => !definedNames(need).some((name) => new RegExp(`\\b${name}\\b`).test(one.source.source)),
        )
        .map((need) => `${one.file} does not use ${need.file} (${definedNames(need).join(', ')})`),
    );
    expect(idle).toEqual([]);
  });

  it('reaches the JVM through jvm.ts only', () => {
    const access =
      /\b_j(?:vm|sc|df|reader|sparkSession)\b|\bpy4j\b|\bjava_exception\b|\b_origin\b|\b_gateway\b/;
    const reaching = all.filter(({ source, imports }) => access.test([...imports, source.source].join('\n')));
    expect(new Set(reaching.map(({ file }) => file))).toEqual(new Set(['emr-steps/fragments/jvm.ts']));
  });
});

describe('undeclaredNames', () => {
  it('finds a name that only a neighbour defines', async () => {
    const neighbour = made('neighbour', 'def helper() -> int:\n    return 1');
    const forgetful = made('forgetful', 'def total() -> int:\n    return helper()');
    const step = made('step', 'def run() -> int:\n    return total() + helper()', [neighbour, forgetful]);
    expect(await undeclaredNames([step])).toEqual([expect.stringContaining('Undefined name `helper`')]);
  });

  it('finds an import that only a neighbour has, and one that is not used', async () => {
    const step = made('step', 'def run() -> float:\n    return math.pi', [], ['import json']);
    expect(await undeclaredNames([step])).toEqual([
      expect.stringContaining('`json` imported but unused'),
      expect.stringContaining('Undefined name `math`'),
    ]);
  });
});

describe('composition', () => {
  const base = made('base', 'def base() -> int:\n    return 1', [], ['import math']);
  const left = made('left', 'def left() -> int:\n    return base()', [base], ['from pyspark.sql import Row']);
  const right = made('right', 'def right() -> int:\n    return base()', [base], ['import math']);

  it('puts each fragment once, after what it needs, below the file that it comes from', () => {
    expect(compose([right, left], 'A script.')).toBe(`"""A script."""

import math

from pyspark.sql import Row

# --- emr-steps/base.ts ---


def base() -> int:
    return 1


# --- emr-steps/right.ts ---


def right() -> int:
    return base()


# --- emr-steps/left.ts ---


def left() -> int:
    return base()
`);
  });

  it('puts constants above functions', () => {
    const both = fragment({
      file: new URL('../../emr-steps/both.ts', import.meta.url),
      constants: python`LIMIT = 3`,
      code: python`
        def limited(value: int) -> int:
            return min(value, LIMIT)
      `,
    });
    expect(compose([both], 'A script.')).toContain(
      '# --- emr-steps/both.ts ---\n\nLIMIT = 3\n\n\ndef limited',
    );
  });

  it('keeps the fragments of one file together where their needs allow it', () => {
    const more = made('base', 'def more() -> int:\n    return 2');
    const late = made('base', 'def late() -> int:\n    return left()', [left]);
    const order = inOrder([left, right, more, late]).map((one) => definedNames(one)[0]);
    expect(order).toEqual(['base', 'more', 'left', 'right', 'late']);
  });

  it('refuses a name that two fragments define', () => {
    const other = made('other', 'base = 2');
    expect(() => compose([base, other], '')).toThrow(
      'base is defined twice, in emr-steps/base.ts and in emr-steps/other.ts',
    );
  });

  it('refuses a file outside the project', () => {
    expect(() => fragment({ file: 'file:///elsewhere/other.ts' })).toThrow('is not a file of this project');
  });
});

describe('imports', () => {
  it('are merged and sorted: modules before names, constants before classes before functions', () => {
    expect(
      mergedImports([
        'from pyspark.sql import functions as F',
        'from pyspark.sql import Row, DataFrame',
        'import numpy as np',
        'import sys',
        'from typing import Any',
        'from pyspark.sql import DataFrame, Column',
        'import json',
      ]),
    ).toBe(`import json
import sys
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F`);
  });

  it('are refused when they are anything else', () => {
    expect(() => mergedImports(['import json; import os'])).toThrow('is not an import');
  });
});
