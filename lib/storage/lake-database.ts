/** The Glue database of the lake. */
import { Aws, Fn, RemovalPolicy } from 'aws-cdk-lib';
import { CfnDatabase } from 'aws-cdk-lib/aws-glue';
import { Construct } from 'constructs';
import { databaseFolder } from '../../domain/lake.ts';
import type { Configuration } from '../configuration.ts';

export interface LakeDatabaseProps {
  /** Name of the database: letters, digits and underscores, so that no engine needs quotes around it. */
  readonly name: string;
  /** `s3://bucket` of the lake, without a slash at the end. */
  readonly lakeRoot: string;
  /**
   * Whether the database outlives its stack, as the data does.
   * @default true
   */
  readonly keep?: boolean;
}

/**
 * Glue deletes a database with every table in it, and Spark's tables are nothing but a pointer in Glue to their newest
 * metadata: so the database is kept with the data. What a first deployment that failed has created is deleted with that
 * deployment.
 */
export class LakeDatabase extends Construct {
  readonly database: CfnDatabase;

  constructor(scope: Construct, id: string, props: LakeDatabaseProps) {
    super(scope, id);
    const { name, lakeRoot, keep = true } = props;
    this.database = new CfnDatabase(this, 'Default', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: {
        name,
        description: 'Churn pipeline: events, features, scores, models and runs',
        locationUri: `${lakeRoot}/${databaseFolder(name)}`,
      },
    });
    this.database.applyRemovalPolicy(keep ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY);
  }
}

/**
 * `<name>_<stage>_<eight hexadecimal digits>`: no other deployment of the account has it, and neither has the database that
 * an earlier one has left behind, because the digits begin the UUID in the id of the stack.
 * To be used in the stack of the database only.
 */
export function ownDatabaseName({ name, stage }: Pick<Configuration, 'name' | 'stage'>): string {
  // arn:aws:cloudformation:<region>:<account>:stack/<name of the stack>/<UUID>
  const uuid = Fn.select(2, Fn.split('/', Aws.STACK_ID));
  return Fn.join('_', [name.replaceAll('-', '_'), stage, Fn.select(0, Fn.split('-', uuid))]);
}
