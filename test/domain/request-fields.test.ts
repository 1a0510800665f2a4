import { describe, expect, it } from 'vitest';
import {
  fieldsToLeaveOut,
  HORIZON_DAYS,
  REQUEST_FIELDS,
  requestShape,
  SEED,
} from '../../domain/request-fields.ts';
import { runRequestSchema, runSettingsSchema } from '../../domain/run.ts';

describe('the fields of a request', () => {
  it('are all described, and each option is named like its field', () => {
    expect(REQUEST_FIELDS.map(({ name }) => name)).toEqual(Object.keys(requestShape));
    for (const { name, option } of REQUEST_FIELDS) {
      const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(option.split(' ')[0]).toBe(`--${kebab}`);
    }
  });

  it('are all optional, and none other is accepted', () => {
    expect(runRequestSchema.parse({})).toEqual({});
    expect(runRequestSchema.safeParse({ horizon: 7 }).success).toBe(false);
  });

  it.each([
    ['horizonDays', HORIZON_DAYS],
    ['seed', SEED],
  ] as const)(
    '%s has the same bounds in a request, in the settings and in its description',
    (name, { least, most }) => {
      expect(REQUEST_FIELDS.find((field) => field.name === name)?.value).toEqual({
        kind: 'whole number',
        least,
        most,
      });
      for (const schema of [runRequestSchema, runSettingsSchema]) {
        const accepts = (value: number): boolean => schema.safeParse({ [name]: value }).success;
        expect([least - 1, least, most, most + 1, least + 0.5].map(accepts)).toEqual([
          false,
          true,
          true,
          false,
          false,
        ]);
      }
    },
  );

  it('whose default is a setting have one of the same name', () => {
    const settings = Object.keys(runSettingsSchema.parse({}));
    const fields = REQUEST_FIELDS.filter(({ isSetting }) => isSetting).map(({ name }) => name);
    expect(fields).toEqual(['horizonDays', 'maxQuarantineShare', 'strict', 'seed', 'train']);
    expect(settings).toEqual(expect.arrayContaining(fields));
  });

  it('may be combined, except with resume', () => {
    expect(fieldsToLeaveOut({ seed: 1, force: true })).toEqual([]);
    expect(fieldsToLeaveOut({ resume: 'run-1' })).toEqual([]);
    expect(fieldsToLeaveOut({ resume: 'run-1', seed: undefined })).toEqual([]);
    expect(fieldsToLeaveOut({ force: false, resume: 'run-1', seed: 0 })).toEqual(['seed', 'force']);
  });
});
