import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completionText } from '../../bin/commands/completion.ts';
import { examplesText } from '../../bin/commands/examples.ts';
import { statementOf } from '../../bin/commands/query.ts';
import { answerText } from '../../bin/terminal/answer-text.ts';
import { NAMED_QUERIES } from '../../domain/named-queries.ts';
import { DuckDbEngine } from '../../local/adapters/duckdb-engine.ts';

describe('the statement of churn query', () => {
  it('is the saved query of that name, or the text itself', () => {
    const [first] = NAMED_QUERIES;
    expect(statementOf(first?.name ?? '', [])).toBe(first?.sql);
    expect(statementOf("SELECT '?' AS mark", [])).toBe("SELECT '?' AS mark");
  });

  it('takes values as literals that cannot end early', () => {
    expect(statementOf('SELECT ?, ?', ["it's", '2'])).toBe("SELECT 'it''s', '2'");
    expect(() => statementOf('SELECT ?', ['1', '2'])).toThrow(/1 question mark\(s\), but 2 value\(s\)/);
    expect(() => statementOf('unknown-query', [])).toThrow(/no saved query unknown-query/);
  });
});

describe('the saved queries', () => {
  it.each(NAMED_QUERIES.map(({ name, sql }) => [name, sql.split('?').length - 1] as const))(
    'are answered by DuckDB too: %s',
    async (name, values) => {
      const folder = await mkdtemp(join(tmpdir(), 'churn-query-'));
      try {
        const engine = new DuckDbEngine({ folder, queriesFolder: join(folder, 'queries') });
        const statement = statementOf(
          name,
          Array.from({ length: values }, () => '100042'),
        );
        expect(Array.isArray(await engine.ask(statement))).toBe(true);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});

describe('the rows of an answer', () => {
  const rows = [
    { user_id: '1', share: '0.5', note: 'a,"b"\u001b[2J' },
    { user_id: '22', share: null, note: 'x'.repeat(80) },
  ];

  it('are a table with numbers to the right, and without control characters', () => {
    expect(answerText(rows, 'table').split('\n').slice(0, 3)).toEqual([
      `user_id  share  note`,
      `${'─'.repeat(7)}  ${'─'.repeat(5)}  ${'─'.repeat(60)}`,
      '      1    0.5  a,"b" [2J',
    ]);
    expect(answerText(rows, 'table')).toContain(`${'x'.repeat(59)}…\n`);
    expect(answerText([], 'table')).toBe('(no rows)\n');
    const long = [{ probability: '0.37372888292422946', version: '1.2' }];
    expect(answerText(long, 'table')).toContain('0.3737      1.2\n');
    expect(answerText(long, 'csv')).toContain('0.37372888292422946');
  });

  it('are CSV or JSON for programs', () => {
    expect(answerText(rows.slice(0, 1), 'csv')).toBe('user_id,share,note\n1,0.5,"a,""b""\u001b[2J"\n');
    expect(JSON.parse(answerText(rows, 'json'))).toEqual(rows);
  });
});

describe('help and completion', () => {
  it('have examples, and words for each shell', () => {
    expect(examplesText('query')).toContain('$ churn query --list');
    const words = [{ command: 'run', description: 'Runs it', options: ['--help', '--lake'] }];
    expect(completionText('bash', words)).toContain('run) words="--help --lake" ;;');
    expect(completionText('zsh', words)).toMatch(/^autoload -U \+X bashcompinit/);
    expect(completionText('fish', words)).toContain(
      "complete -c churn -n __fish_use_subcommand -f -a run -d 'Runs it'\n",
    );
  });
});
