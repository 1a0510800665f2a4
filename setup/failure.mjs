/** What can go wrong during the set-up: each failure as one sentence with its remedy. */

/** The set-up cannot continue. The message is all that the user needs; a stack trace would not help. */
export class SetUpError extends Error {
  /**
   * @param {string} message
   * @param {number} [exitCode] exit code of the process
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetUpError';
    this.exitCode = exitCode;
  }
}

/** @type {ReadonlyArray<{ signs: RegExp, sentence: (what: string) => string }>} */
const knownCauses = [
  {
    signs: /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i,
    sentence: (what) =>
      `The disk is full, so ${what} could not be installed: free some space and run the command again.`,
  },
  {
    signs: /CERT_|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|certificate verify failed|UnknownIssuer|PKIX path/i,
    sentence: (what) =>
      `The server that provides ${what} has a certificate that is not trusted on this machine: set NODE_EXTRA_CA_CERTS ` +
      "and SSL_CERT_FILE to the file with your network's certificate authorities and run the command again.",
  },
  {
    signs:
      /ENOTFOUND|EAI_AGAIN|E(CONN|NET|HOST)(REFUSED|RESET|UNREACH)|ETIMEDOUT|getaddrinfo|dns error|name resolution|name or service not known|nodename nor servname|UnknownHostException|connection (refused|reset|timed out)|connect timed out|network is unreachable|error sending request|failed to fetch/i,
    sentence: (what) =>
      `Cannot reach the server that provides ${what}: check the network or the proxy settings and run the command again.`,
  },
  {
    signs: /EACCES|EPERM|EROFS|permission denied|read-only file system/i,
    sentence: (what) =>
      `Cannot write ${what}: give your user permission to write in the project's folder (and in its caches) and run the command again.`,
  },
];

/**
 * Turns the output of a failed installer into a sentence for the user.
 * @param {string} what what was being installed, to follow "Installing": 'the npm packages'
 * @param {string} output all that the installer printed
 * @param {string} logFile where that output is kept
 */
export function explainFailure(what, output, logFile) {
  const cause = knownCauses.find(({ signs }) => signs.test(output));
  return new SetUpError(
    cause === undefined
      ? `Installing ${what} failed: see ${logFile} for the reason, remove it and run the command again.`
      : `${cause.sentence(what)} (Details: ${logFile})`,
  );
}

/**
 * The same for a system call of this process that failed; any other error is a bug in the set-up and is returned unchanged.
 * @param {unknown} error
 * @param {string} folder of the project
 */
export function explainSystemError(error, folder) {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  const cause = knownCauses.find(({ signs }) => signs.test(error.message));
  return cause === undefined ? error : new SetUpError(cause.sentence(`what is missing in ${folder}`));
}
