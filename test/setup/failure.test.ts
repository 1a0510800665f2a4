import { describe, expect, test } from 'vitest';
import { explainFailure, explainSystemError, SetUpError } from '../../setup/failure.mjs';

describe('the error of a failed installation', () => {
  test.each([
    [
      'npm error code ENOTFOUND\ngetaddrinfo ENOTFOUND a.registry',
      /^Cannot reach the server .* check the network/,
    ],
    ['error: Request failed\n cause: dns error', /^Cannot reach the server/],
    ['Caused by: java.net.UnknownHostException: host', /^Cannot reach the server/],
    ['npm error code ENOSPC', /^The disk is full.* free some space/],
    ['OSError: [Errno 28] No space left on device', /^The disk is full/],
    [
      'error sending request\n invalid peer certificate: UnknownIssuer',
      /^The server .* not trusted on this machine/,
    ],
    ['npm error code SELF_SIGNED_CERT_IN_CHAIN', /^The server .* not trusted on this machine/],
    ['PKIX path building failed', /^The server .* not trusted on this machine/],
    ["EACCES: permission denied, mkdir '/x'", /^Cannot write .* permission to write/],
    ['hash mismatch', /^Installing the things failed: see logs\/x\.log/],
  ])('explains the output %j in one sentence', (output, sentence) => {
    const { message } = explainFailure('the things', output, 'logs/x.log');
    expect(message).toMatch(sentence);
    expect(message).toContain('logs/x.log');
    expect(message).toContain('run the command again');
  });

  test('explains a failed system call of the set-up itself in the same way', () => {
    const refused = Object.assign(new Error("EROFS: read-only file system, mkdir '/x'"), {
      syscall: 'mkdir',
    });
    expect(explainSystemError(refused, '/project')).toBeInstanceOf(SetUpError);
  });

  test('is returned unchanged when it is a bug in the set-up', () => {
    const bug = new TypeError('x is not a function');
    expect(explainSystemError(bug, '/project')).toBe(bug);
  });
});
