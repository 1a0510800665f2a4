/** Starts other programs: installers, whose output goes to a log, and the project's commands, which use the terminal. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { explainFailure, SetUpError } from './failure.mjs';
import { withoutForeign } from './foreign-variables.mjs';

/** @import { Locations } from './environment.mjs' */

/** A pip whose configuration says to install for the user refuses to install into an environment, unless this says no. */
const OWN_PIP = { PIP_USER: '0' };

const path = () => (process.env.PATH ?? '').split(delimiter);

/**
 * The environment in which the project's own commands run: its Node 22 and its tools come first.
 * @param {Locations} locations
 */
export function projectProcessEnv(locations) {
  const quiet = '--disable-warning=ExperimentalWarning'; // Node 22 strips types and warns about it at every start.
  const options = process.env.NODE_OPTIONS ?? '';
  return {
    ...process.env,
    PATH: [locations.nodeCommands, ...path()].join(delimiter),
    NODE_OPTIONS: options.includes(quiet) ? options : `${options} ${quiet}`.trim(),
  };
}

/**
 * The PATH without the project's npm packages, which an installer may be about to replace.
 * @param {Locations} locations
 */
export const machinePath = (locations) =>
  path()
    .filter((folder) => folder !== locations.nodeCommands)
    .join(delimiter);

/**
 * Where the output of a failed program is kept.
 * @param {Locations} locations
 * @param {string} logName
 */
export const logFileOf = (locations, logName) => join(locations.environmentFolder, 'logs', `${logName}.log`);

/**
 * Runs one program of an installation. If it fails, its output goes to a log in the environment folder.
 * @param {Locations} locations
 * @param {object} task
 * @param {string} task.what what is being installed, for the error message
 * @param {string} task.logName
 * @param {string} task.command
 * @param {readonly string[]} task.args
 * @param {NodeJS.ProcessEnv} [task.env] added to this process's environment; a variable that is undefined is unset
 * @param {AbortSignal} task.signal aborts the program
 * @returns {Promise<string>} what it wrote to standard output
 */
export function runInstaller(locations, { what, logName, command, args, env, signal }) {
  const logFile = logFileOf(locations, logName);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: locations.projectRoot,
      env: {
        ...process.env,
        ...withoutForeign(process.env),
        ...OWN_PIP,
        PATH: machinePath(locations),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    let output = '';
    let all = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      all += chunk;
    });
    child.stderr.on('data', (chunk) => {
      all += chunk;
    });
    /** If the disk is full, the log is lost but the error message is not. */
    const keepLog = () => {
      try {
        mkdirSync(dirname(logFile), { recursive: true });
        writeFileSync(logFile, `${[command, ...args].join(' ')}\n${all}`);
      } catch {}
    };
    let hasFailed = false;
    child.on('error', (error) => {
      hasFailed = true;
      all += String(error);
      keepLog();
      const absent = 'code' in error && error.code === 'ENOENT';
      reject(
        absent
          ? new SetUpError(
              `Installing ${what} needs the program ${command}, which is missing: install it first.`,
            )
          : error,
      );
    });
    child.on('close', (code) => {
      if (code === 0) return resolve(output);
      // The caller knows already, and may have removed the folder of the log.
      if (hasFailed) return;
      keepLog();
      reject(explainFailure(what, all, logFile));
    });
  });
}

/**
 * Runs one of the project's commands in place of this process: same terminal, same signals, same exit code.
 * @param {Locations} locations
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env] added to the project's environment
 * @returns {Promise<number>} the exit code; 128 + signal number if a signal terminated it
 */
export function runProjectCommand(locations, command, args, env) {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...projectProcessEnv(locations), ...env } });
  // A terminal sends Ctrl-C to the child too; forwarding it would deliver it twice.
  const fromTerminal = process.stdin.isTTY === true;
  /** @type {ReadonlyArray<NodeJS.Signals>} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const handlers = signals.map((name) => {
    const handler = () => {
      if (!(name === 'SIGINT' && fromTerminal)) child.kill(name);
    };
    process.on(name, handler);
    return { name, handler };
  });
  return new Promise((resolve, reject) => {
    child.on('error', () =>
      reject(new SetUpError(`The command ${command} could not be started: is it a command of this project?`)),
    );
    child.on('close', (code, signal) => {
      for (const { name, handler } of handlers) process.off(name, handler);
      resolve(code ?? 128 + (signal === null ? 0 : (constants.signals[signal] ?? 0)));
    });
  });
}
