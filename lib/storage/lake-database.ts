/** The Glue database of the lake. */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { CfnDatabase } from 'aws-cdk-lib/aws-glue';
import { Construct } from 'constructs';
import { DATABASE, WAREHOUSE } from '../../domain/lake.ts';

export interface LakeDatabaseProps {
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
 * metadata: so the database is kept with the data. Its name is fixed, so what a first deployment that failed has made is
 * deleted with that deployment: it must not block the next.
 */
export class LakeDatabase extends Construct {
  readonly database: CfnDatabase;

  constructor(scope: Construct, id: string, props: LakeDatabaseProps) {
    super(scope, id);
    const { lakeRoot, keep = true } = props;
    this.database = new CfnDatabase(this, 'Default', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: {
        name: DATABASE,
        description: 'Churn pipeline: events, features, scores, models and runs',
        locationUri: `${lakeRoot}/${WAREHOUSE}/${DATABASE}`,
      },
    });
    this.database.applyRemovalPolicy(keep ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY);
  }
}
