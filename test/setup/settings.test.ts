import { describe, expect, test } from 'vitest';
import { proxyOptions } from '../../setup/proxy.mjs';
import { uvSettings } from '../../setup/python-environment.mjs';

describe('the settings passed to uv', () => {
  test("are pip's index and certificates, from its files or its environment variables", () => {
    expect(
      uvSettings("global.index-url='https://mirror.example/simple'\n:env:.cert='/ca.pem'\n", {}),
    ).toEqual({
      UV_DEFAULT_INDEX: 'https://mirror.example/simple',
      SSL_CERT_FILE: '/ca.pem',
    });
  });

  test('leave out an index that only adds to the default one', () => {
    expect(uvSettings("global.extra-index-url='https://mirror.example/simple'\n", {})).toEqual({});
  });

  test("prefer uv's own settings to pip's", () => {
    const env = { UV_INDEX_URL: 'https://own.example/simple', SSL_CERT_FILE: '/own.pem' };
    expect(uvSettings("global.index-url='https://pip.example/simple'\nglobal.cert='/pip.pem'", env)).toEqual({
      UV_DEFAULT_INDEX: 'https://own.example/simple',
      SSL_CERT_FILE: '/own.pem',
    });
  });
});

describe('the proxy options passed to Java', () => {
  test("name the machine's proxy and the hosts that bypass it", () => {
    expect(
      proxyOptions({ HTTPS_PROXY: 'http://proxy.example:3128', NO_PROXY: 'localhost, .intern.example' }),
    ).toEqual([
      '-Dhttps.proxyHost=proxy.example',
      '-Dhttps.proxyPort=3128',
      '-Dhttp.nonProxyHosts=localhost|*.intern.example',
    ]);
  });

  test('are empty when there is no proxy', () => {
    expect(proxyOptions({})).toEqual([]);
    expect(proxyOptions({ https_proxy: '' })).toEqual([]);
  });
});
