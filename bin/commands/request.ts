/** The fields of a run request as options of a command. */
import { type Command, Option } from 'commander';
import {
  REQUEST_FIELDS,
  type RequestCommand,
  type RequestField,
  type RequestValue,
} from '../../domain/request-fields.ts';
import { type RunRequest, runRequestSchema } from '../../domain/run.ts';
import { isoDay, s3Location, share, wholeNumber } from './arguments.ts';

/** What Commander makes of the options. */
export type RequestOptions = Readonly<RunRequest>;

/** Adds an option for every field of the request that the command offers. */
export function withRequestOptions(command: Command, name: RequestCommand): Command {
  for (const field of REQUEST_FIELDS) if (isOffered(field, name)) command.addOption(requestOption(field));
  return command;
}

/** The request: only fields that the command offers and the user has given. */
export function requestOf(options: RequestOptions, name: RequestCommand): RunRequest {
  const given = new Map(Object.entries(options));
  return runRequestSchema.parse(
    Object.fromEntries(
      REQUEST_FIELDS.flatMap((field) => {
        const value = given.get(field.name);
        return value === undefined || !isOffered(field, name) ? [] : [[field.name, value]];
      }),
    ),
  );
}

function isOffered({ offeredBy }: RequestField, name: RequestCommand): boolean {
  return offeredBy.includes(name);
}

function requestOption({ option, meaning, default: otherwise, isSetting, value }: RequestField): Option {
  const fallback = isSetting ? "the deployment's setting" : otherwise;
  const made = new Option(option, fallback === undefined ? meaning : `${meaning} (default: ${fallback})`);
  if (value.kind === 'one of') return made.choices(value.values);
  const parse = parser(value);
  return parse === undefined ? made : made.argParser(parse);
}

/** Undefined for text that is taken as it is, and for an option without an argument. */
function parser(value: RequestValue): ((text: string) => string | number) | undefined {
  switch (value.kind) {
    case 'S3 location':
      return s3Location;
    case 'day':
      return isoDay;
    case 'share':
      return share;
    case 'whole number':
      return wholeNumber(value.least, value.most);
    default:
      return undefined;
  }
}
