import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { type RequestOptions, requestOf, withRequestOptions } from '../../bin/commands/request.ts';
import { withAddresses } from '../../bin/commands/run.ts';
import { REQUEST_FIELDS, type RequestCommand } from '../../domain/request-fields.ts';

/** The request that a command makes of its arguments. */
function requestFrom(name: RequestCommand, args: readonly string[]) {
  const command = withRequestOptions(new Command(name), name)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return requestOf(command.parse(args, { from: 'user' }).opts<RequestOptions>(), name);
}

describe('the options of a request', () => {
  it('are those of the fields that the command offers, under the names of the fields', () => {
    for (const name of ['run', 'start'] as const) {
      const { options } = withRequestOptions(new Command(name), name);
      const fields = REQUEST_FIELDS.filter(({ offeredBy }) => offeredBy.includes(name));
      expect(options.map((option) => option.attributeName())).toEqual(fields.map((field) => field.name));
      expect(options.map(({ flags }) => flags)).toEqual(fields.map(({ option }) => option));
    }
  });

  it('become the fields of the request with their types', () => {
    const args = '--observation-end 2018-12-01 --horizon-days 7 --max-quarantine-share 5% --seed 0 --force';
    const request = {
      observationEnd: '2018-12-01',
      horizonDays: 7,
      maxQuarantineShare: 0.05,
      seed: 0,
      force: true,
    };
    expect(requestFrom('run', args.split(' '))).toStrictEqual(request);
    expect(requestFrom('start', [...args.split(' '), '--events', 's3://log/2018'])).toStrictEqual({
      ...request,
      events: 's3://log/2018',
    });
    expect(requestFrom('start', ['--resume', 'run-1'])).toStrictEqual({ resume: 'run-1' });
    expect(requestFrom('start', ['--take-out', 's3://log/a', 's3://log/b*', '--force'])).toStrictEqual({
      takeOut: ['s3://log/a', 's3://log/b*'],
      force: true,
    });
    expect(requestFrom('start', [])).toStrictEqual({});
  });

  it.each([
    ['--horizon-days', '61', 'a whole number from 1 to 60'],
    ['--seed', '2147483648', 'a whole number from 0 to 2147483647'],
    ['--max-quarantine-share', '5', 'a share from 0 to 1'],
    ['--observation-end', '2018-02-30', 'YYYY-MM-DD'],
    ['--events', '/tmp/log', 'an address in S3'],
  ])('%s refuses %s: it must be %s', (option, text, words) => {
    expect(() => requestFrom('start', [option, text])).toThrow(CommanderError);
    expect(() => requestFrom('start', [option, text])).toThrow(words);
  });

  it('of a local run do not make the location of its log a field of the request', () => {
    expect(requestOf({ events: '/tmp/log', seed: 1 }, 'run')).toStrictEqual({ seed: 1 });
  });

  it('of a local run name files by the addresses that they have in the lake', () => {
    expect(withAddresses({ seed: 1 })).toStrictEqual({ seed: 1 });
    expect(withAddresses({ takeOut: ['in/a.json', 'file:///log/b.json', '/log/*.gz'] })).toStrictEqual({
      takeOut: [`file://${resolve('in/a.json')}`, 'file:///log/b.json', 'file:///log/*.gz'],
    });
  });

  it('say what holds without them', () => {
    const help = withRequestOptions(new Command('start'), 'start').helpInformation().replaceAll(/\s+/g, ' ');
    expect(help).toContain("predicted (default: the deployment's setting)");
    expect(help).toContain('of this day (default: the end of the log)');
  });
});
