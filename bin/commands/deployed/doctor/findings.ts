/** What the answers of AWS mean for a deployment. Pure functions; domain/preflight.ts has those that PlanRun uses too. */
import { type Finding, ok } from '../../../../domain/preflight.ts';

/** A range of ports. */
export interface Ports {
  readonly from: number;
  readonly to: number;
}

export interface PublicAccess {
  /** Whether EMR's "block public access" is on. */
  readonly isBlocked: boolean;
  /** Ports on which it admits the internet nevertheless. */
  readonly permitted: readonly Ports[];
}

/** Ports of a security group that the internet may reach. */
export interface OpenPorts extends Ports {
  readonly groupId: string;
}

/** EMR's setting may stay on: the groups of a cluster admit nobody from the internet, unless a rule was added. */
export function publicAccessFinding(
  { isBlocked, permitted }: PublicAccess,
  open: readonly OpenPorts[],
): Finding {
  const check = 'block public access of EMR';
  const state = `is ${isBlocked ? 'on' : 'off'}`;
  const forbidden = open.filter(
    ({ from, to }) => !permitted.some((range) => range.from <= from && to <= range.to),
  );
  if (forbidden.length === 0)
    return ok(check, `${state}, and nothing of the cluster is open to the internet`);
  const rules = forbidden.map(({ groupId, from, to }) => `${groupId} (ports ${from} to ${to})`).join(', ');
  const refused = isBlocked ? ': EMR refuses a cluster in a public subnet' : '';
  return problem(
    check,
    `${state}, and ${rules} are open to the internet${refused}`,
    'remove these rules: no part of the cluster is reached from outside',
  );
}

/** Whether Lake Formation leaves what is created in the Glue catalog to IAM. */
export interface CatalogDefaults {
  readonly databases: boolean;
  readonly tables: boolean;
}

export function lakeFormationFinding({ databases, tables }: CatalogDefaults, database: string): Finding {
  const check = 'defaults of Lake Formation';
  if (databases && tables) return ok(check, 'IAM alone decides about new databases and tables');
  const kinds = [...(databases ? [] : ['databases']), ...(tables ? [] : ['tables'])].join(' and ');
  return problem(
    check,
    `Lake Formation guards new ${kinds}: what IAM allows the cluster and Athena does not suffice`,
    `choose "Use only IAM access control" for both in its Data Catalog settings and open what exists (aws lakeformation grant-permissions --permissions ALL --principal DataLakePrincipalIdentifier=IAM_ALLOWED_PRINCIPALS --resource '{"Database":{"Name":"${database}"}}'), or grant the roles of the cluster and of the state machine the database and all of its tables`,
  );
}

export function bucketRegionFinding(
  bucket: string,
  bucketRegion: string | undefined,
  region: string,
): Finding {
  const check = `Region of the bucket ${bucket}`;
  if (bucketRegion === undefined || bucketRegion === region) return ok(check, region);
  return {
    ...problem(
      check,
      `it is in ${bucketRegion}: the network of the cluster leads to buckets in ${region} only`,
      `use a bucket in ${region}, or deploy in ${bucketRegion}`,
    ),
    stopsRuns: true,
  };
}

/** Event files that a run would find. */
export interface EventLog {
  readonly root: string;
  readonly files: number;
  readonly bytes: number;
}

export function eventLogFinding({ root, files, bytes }: EventLog): Finding {
  const check = `event files at ${root}`;
  if (files > 0) return ok(check, `${files}, ${(bytes / 1e9).toFixed(1)} GB`);
  return {
    ...problem(check, 'there are none', 'upload the log there (docs/deploy.md)'),
    stopsRuns: true,
  };
}

export function problem(check: string, found: string, whatToDo: string): Finding {
  return { check, status: 'problem', found, whatToDo, stopsRuns: false };
}
