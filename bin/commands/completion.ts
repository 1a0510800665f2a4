/** `churn completion`: prints the completion of commands and options for a shell. */
import { Argument, Command } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** What can be completed: the commands, and the options of each. */
export interface Words {
  readonly command: string;
  readonly description: string;
  readonly options: readonly string[];
}

/** @param program whose commands are completed; they are read when the command runs */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('Print the completion of commands and options for a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices([...SHELLS]))
    .action((shell: Shell) => {
      process.stdout.write(completionText(shell, wordsOf(program)));
    });
}

function wordsOf(program: Command): readonly Words[] {
  return program.commands.map((command) => ({
    command: command.name(),
    description: command.description().split('. ')[0] ?? '',
    options: ['--help', ...command.options.flatMap(({ long }) => long ?? [])],
  }));
}

/** The script that a shell evaluates. */
export function completionText(shell: Shell, words: readonly Words[]): string {
  return shell === 'fish' ? fishText(words) : bashText(words, shell);
}

function bashText(words: readonly Words[], shell: 'bash' | 'zsh'): string {
  const cases = words.map(({ command, options }) => `    ${command}) words="${options.join(' ')}" ;;`);
  return [
    // zsh understands bash's completions once it is asked to.
    ...(shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_churn() {',
    '  local words',
    `  case "\${COMP_WORDS[1]}" in`,
    ...cases,
    `    *) words="${words.map(({ command }) => command).join(' ')} --help --version" ;;`,
    '  esac',
    `  [ "$COMP_CWORD" -eq 1 ] && words="${words.map(({ command }) => command).join(' ')} --help --version"`,
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    'complete -o default -F _churn churn',
    '',
  ].join('\n');
}

function fishText(words: readonly Words[]): string {
  const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
  return words
    .flatMap(({ command, description, options }) => [
      `complete -c churn -n __fish_use_subcommand -f -a ${command} -d ${quoted(description)}`,
      ...options.map(
        (option) => `complete -c churn -n "__fish_seen_subcommand_from ${command}" -l ${option.slice(2)}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
