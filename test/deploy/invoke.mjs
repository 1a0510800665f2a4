/** Calls the handler of a bundled Lambda in its own process: `node invoke.mjs <bundle> <output file>`, with the event on standard input. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [bundle = '', outputFile = ''] = process.argv.slice(2);
const event = JSON.parse(readFileSync(0, 'utf8'));
const { handler } = await import(pathToFileURL(bundle).href);
const invocation = {
  awsRequestId: 'request',
  functionName: 'function',
  invokedFunctionArn: 'arn',
  memoryLimitInMB: '1024',
};
let answer;
try {
  answer = { output: await handler(event, invocation) };
} catch (error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  answer = { error: { name, message } };
}
writeFileSync(outputFile, JSON.stringify(answer));
