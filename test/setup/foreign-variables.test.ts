import { expect, test } from 'vitest';
import { isForeign, withoutForeign } from '../../setup/foreign-variables.mjs';

test.each([
  'PIP_USER',
  'PYTHONPATH',
  'PYTHONHOME',
  'SPARK_HOME',
  'JAVA_TOOL_OPTIONS',
  'PYSPARK_SUBMIT_ARGS',
  'CONDA_PREFIX',
  'VIRTUAL_ENV',
  'UV_PYTHON',
])('%s of the user is kept out of the set-up', (name) => {
  expect(name in withoutForeign({ [name]: '1' })).toBe(true);
  expect(withoutForeign({ [name]: '1' })[name]).toBeUndefined();
});

test.each(['PATH', 'HTTPS_PROXY', 'NO_PROXY', 'PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'SSL_CERT_FILE', 'LANG'])(
  '%s stays: installers need it',
  (name) => {
    expect(isForeign(name)).toBe(false);
  },
);
