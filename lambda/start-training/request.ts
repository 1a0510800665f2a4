/** The request of a run, checked before anything else happens. */
import type { z } from 'zod';
import { fieldsToLeaveOut } from '../../domain/request-fields.ts';
import { type RunRequest, type RunSettings, runRequestSchema } from '../../domain/run.ts';
import type { Deployment } from '../run/deployment.ts';
import { PipelineError } from '../run/errors.ts';

/** Execution names go into keys, tags, file names and SQL. */
const RUN_ID = /^[A-Za-z0-9._-]{1,80}$/;

/**
 * The request, if it can be carried out.
 * @throws InvalidRequest naming the field, what is wrong with it, and what is allowed
 */
export function checkRequest(runId: string, request: unknown, deployment: Deployment, now: Date): RunRequest {
  if (!RUN_ID.test(runId)) {
    throw invalid([
      `the execution's name ${JSON.stringify(runId)} may hold letters, digits, ".", "_" and "-" only, at most 80`,
    ]);
  }
  const parsed = runRequestSchema.safeParse(request ?? {});
  if (!parsed.success) throw invalid(parsed.error.issues.map((issue) => complaint(issue, request)));
  const impossible = [
    ...eventsOutOfReach(parsed.data, deployment),
    ...daysOutOfReach(parsed.data, deployment.settings, now),
    ...ofAnotherRun(parsed.data),
  ];
  if (impossible.length > 0) throw invalid(impossible);
  return parsed.data;
}

function complaint(issue: z.core.$ZodIssue, request: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => JSON.stringify(key)).join(', ');
    return `${names}: no such field; allowed are ${Object.keys(runRequestSchema.shape).join(', ')}`;
  }
  const [field] = issue.path;
  if (field === undefined) return `the request: ${issue.message}; {} asks for the defaults`;
  return `"${String(field)}" is ${JSON.stringify(fieldOf(request, field))}: ${issue.message}`;
}

function fieldOf(request: unknown, field: PropertyKey): unknown {
  return typeof request === 'object' && request !== null ? Reflect.get(request, field) : undefined;
}

/** PlanRun may list the whole bucket, but the cluster may read only this part: it would fail once it is paid for. */
function eventsOutOfReach({ events }: RunRequest, { platform, eventsRoot }: Deployment): string[] {
  if (events === undefined || platform === 'local') return [];
  const root = eventsRoot.replace(/\/+$/, '');
  return events === root || events.startsWith(`${root}/`)
    ? []
    : [`"events" is "${events}": must be below ${root}, all that the cluster may read of event files`];
}

function daysOutOfReach(request: RunRequest, settings: RunSettings, now: Date): string[] {
  const day = request.observationEnd;
  if (day === undefined) return [];
  const time = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day) {
    return [`"observationEnd" is "${day}": there is no such day`];
  }
  const latest = new Date(now.getTime() + settings.maxClockSkewHours * 3_600_000).toISOString().slice(0, 10);
  if (day <= settings.earliestEventDay || day > latest) {
    return [`"observationEnd" is "${day}": must be after ${settings.earliestEventDay} and at most ${latest}`];
  }
  return [];
}

/** Of a request that names the plan of another run. */
function ofAnotherRun(request: RunRequest): string[] {
  const { resume, verify } = request;
  if (resume !== undefined && verify !== undefined)
    return ['"resume" and "verify": a run does one or the other; leave one out'];
  const beside = fieldsToLeaveOut(request).map(
    (field) =>
      `"${field}": a run that resumes or verifies another takes its plan as it was; leave it out, or start a new run`,
  );
  const named = Object.entries({ resume, verify }).flatMap(([field, runId]) =>
    runId === undefined || RUN_ID.test(runId)
      ? []
      : [`"${field}" is ${JSON.stringify(runId)}: that is not a run's id`],
  );
  return [...named, ...beside];
}

function invalid(complaints: readonly string[]): PipelineError {
  return new PipelineError(
    'InvalidRequest',
    `The run's request cannot be carried out:\n${complaints.map((line) => `- ${line}`).join('\n')}`,
  );
}
