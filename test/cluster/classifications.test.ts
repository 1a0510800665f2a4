import { describe, expect, test } from 'vitest';
import { applicationMasterLabel, deployed, EMR_DEFAULTS, hadoopXml, merged } from './classifications.ts';

describe('the configuration of the rehearsed cluster', () => {
  test('a deployed property overrides EMR’s default, and the others stay', () => {
    const own = deployed([
      { Classification: 'spark-defaults', Properties: { 'spark.shuffle.service.enabled': 'false' } },
      { Classification: 'spark-env' },
    ]);
    const all = merged(EMR_DEFAULTS, own);
    expect(all['spark-defaults']).toMatchObject({
      'spark.shuffle.service.enabled': 'false',
      'spark.dynamicAllocation.enabled': 'true',
    });
    expect(all['yarn-site']).toEqual(EMR_DEFAULTS['yarn-site']);
    expect(all['spark-env']).toEqual({});
  });

  test('two entries of one classification are merged, the later one last', () => {
    const own = deployed([
      { Classification: 'yarn-site', Properties: { a: '1', b: '1' } },
      { Classification: 'yarn-site', Properties: { b: '2' } },
    ]);
    expect(own).toEqual({ 'yarn-site': { a: '1', b: '2' } });
  });

  test('application masters get a label only where node labels are on', () => {
    const label = { 'yarn.node-labels.am.default-node-label-expression': 'CORE' };
    expect(applicationMasterLabel({ 'yarn-site': label })).toEqual({});
    expect(applicationMasterLabel({ 'yarn-site': { ...label, 'yarn.node-labels.enabled': 'true' } })).toEqual(
      { 'spark-defaults': { 'spark.yarn.am.nodeLabelExpression': 'CORE' } },
    );
  });

  test('Hadoop’s XML escapes values', () => {
    expect(hadoopXml({ name: 'a<b&c' })).toContain('<name>name</name><value>a&lt;b&amp;c</value>');
  });
});
