/** The lines of an object, through the SDK itself, from a server that behaves as S3 does when it goes well or badly. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, expect, it } from 'vitest';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import { allOf } from '../../../lambda/ports/pages.ts';

let close: () => void = () => {};
afterEach(() => close());

async function storeThatAnswers(answer: (response: ServerResponse) => void): Promise<S3Objects> {
  const server = createServer((_, response) => answer(response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  close = () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  };
  return new S3Objects(client);
}

it('are read as they come', async () => {
  const text = Array.from({ length: 20_000 }, (_, line) => `{"line": ${line}}\n`).join('');
  const store = await storeThatAnswers((response) => response.end(text));
  const lines = await allOf(store.lines('s3://lake/ledger.json'));
  expect(lines).toHaveLength(20_000);
  expect(lines.at(-1)).toBe('{"line": 19999}');
});

it('are none if there is no such object', async () => {
  const store = await storeThatAnswers((response) => {
    response.writeHead(404, { 'content-type': 'application/xml' });
    response.end('<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>');
  });
  expect(await allOf(store.lines('s3://lake/ledger.json'))).toEqual([]);
});

it('fail when the object is cut off, instead of ending early', async () => {
  const store = await storeThatAnswers((response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"line": 1}\n', () => response.destroy());
  });
  await expect(allOf(store.lines('s3://lake/ledger.json'))).rejects.toThrow();
});
