import { describe, expect, it } from 'vitest';
import { localSparkSettings, propertiesText, sparkEnvironment } from '../../../local/spark/configuration.ts';

const settings = localSparkSettings({
  lakeFolder: '/data/lake',
  scratchFolder: '/data/lake/local/clusters/j-1/scratch',
  defined: {
    'spark.sql.adaptive.enabled': 'true',
    'spark.executor.instances': '12',
    'spark.executorEnv.PYTHONPATH': '/opt/churn',
    'spark.yarn.appMasterEnv.X': 'y',
    'spark.sql.catalog.lake.type': 'glue',
    'spark.sql.catalog.lake.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    'spark.io.encryption.enabled': 'true',
  },
});

describe('the Spark settings of a local cluster', () => {
  it('are those of the definition, except for cloud settings', () => {
    expect(settings['spark.sql.adaptive.enabled']).toBe('true');
    expect(Object.keys(settings).filter((name) => /executor|yarn|io-impl/.test(name))).toEqual([]);
  });

  it('place the tables below the lake, and listen only on this machine', () => {
    expect(settings).toMatchObject({
      'spark.sql.catalog.lake.type': 'hadoop',
      'spark.sql.catalog.lake.warehouse': 'file:///data/lake/warehouse',
      'spark.driver.bindAddress': '127.0.0.1',
      'spark.ui.enabled': 'false',
      'spark.dynamicAllocation.enabled': 'false',
    });
    expect(settings['spark.master']).toMatch(/^local\[[1-8]\]$/);
  });

  it('are escaped so that Java reads the same values back', () => {
    expect(propertiesText({ 'spark.a': 'b c', 'spark.d': 'e\\f\ng' })).toBe(
      'spark.a b c\nspark.d e\\\\f\\ng\n',
    );
  });

  it("are free of the user's own Spark, Java and Python", () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      SPARK_CONF_DIR: '/x',
      PYTHONPATH: '/x',
      JAVA_TOOL_OPTIONS: '-Dx',
      HADOOP_CONF_DIR: '/x',
    });
    try {
      const environment = sparkEnvironment('/conf');
      expect(environment.SPARK_CONF_DIR).toBe('/conf');
      expect(Object.values(environment)).not.toContain('/x');
      expect(environment.JAVA_TOOL_OPTIONS).toBeUndefined();
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    }
  });
});
