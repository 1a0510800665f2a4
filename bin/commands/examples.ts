/** An example for each command, shown in its help. */

/** Command line after `churn`, and what it does. */
type Example = readonly [line: string, does: string];

const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  run: [
    ['run', 'a first run, on a generated log, into .churn'],
    ['run --events logs/2018 --lake lakes/real', 'a run on your own event files'],
  ],
  generate: [['generate --users 2000 --days 62 --out log', 'two months of a service with 2,000 users']],
  report: [
    ['report', 'opens the latest report of .churn'],
    ['report --all --stage prod', 'fetches all reports of a deployment and opens their index'],
  ],
  explore: [['explore', 'opens the latest report of .churn at "Who leaves"']],
  models: [
    ['models --stage prod', 'which model each run chose, by which rule, with which figures'],
    [
      'models --verify local-20181203-080000-1a2b',
      'trains the model of a run again, and says whether it is the same',
    ],
    [
      'models --verify manual-20181203-080000-1a2b --stage prod --yes',
      'the same on a cluster of a deployment, unattended',
    ],
  ],
  promote: [['promote manual-20181203-080000-1a2b', 'puts the model of that run in charge']],
  rollback: [
    [
      'rollback manual-20181203-080000-1a2b --why "the new one overstates"',
      'goes back to an earlier model, and asks a person before the next promotion',
    ],
  ],
  score: [
    ['score --top 100 --csv top.csv', 'the users most at risk, with reasons, as CSV'],
    ['score --user 100042', 'why one user is at risk, or what is typical beside the values'],
  ],
  query: [
    ['query --list', 'the saved queries'],
    ['query users-at-risk-now --format csv', 'a saved query, as CSV'],
    ["query 'SELECT level, count(*) AS days FROM user_days GROUP BY level'", 'your own statement'],
  ],
  forget: [
    ['forget 100042', 'drops further rows of this user, and says how to delete those in the lake'],
    ['forget 100042 --check --stage prod', 'says where the lake of a deployment still holds the id'],
  ],
  backtest: [
    [
      'backtest --as-of 2018-11-17',
      'scores the users as known that day, and says who of them then cancelled',
    ],
  ],
  start: [['start --stage prod --watch', 'starts a run of the deployment and waits for its end']],
  watch: [['watch --stage prod', 'follows the run in progress']],
  list: [['list --stage prod --most 20', 'the last 20 runs']],
  stop: [['stop manual-20181203-080000-1a2b --stage prod', 'stops a run and terminates its cluster']],
  doctor: [['doctor --stage prod', 'checks what the deployment needs of its account']],
  completion: [['completion bash >> ~/.bashrc', 'completes commands and options in new shells']],
};

/** Text for the end of a command's help; undefined when it has no example. */
export function examplesText(command: string): string | undefined {
  const examples = EXAMPLES[command];
  if (examples === undefined) return undefined;
  const lines = examples.map(([line, does]) => `  $ churn ${line}\n      ${does}\n`);
  return `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('')}`;
}
