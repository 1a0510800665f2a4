/** The data dictionary: every table of the lake, and the event log as it is delivered. */
import { RAW_COLUMNS } from '../../domain/events.ts';
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_TABLES, FEATURES_TABLE } from '../../domain/features/features-table.ts';
import { type Column, TABLES, type Table } from '../../domain/lake.ts';
import { code, page, table } from './markdown.ts';

const FORMATS: Readonly<Record<Table['format'], string>> = {
  iceberg: 'Iceberg table',
  json: 'JSON lines, an external table',
};

export function dataDictionary(): string {
  return page(
    'Data dictionary',
    '`domain/events.ts`, `domain/lake.ts` and `domain/features/features-table.ts`',
    [
      'Types of the raw log are those of JSON, all others those of Spark SQL, which Iceberg and Athena have too. Times are UTC.',
      rawEvents(),
      ...[...TABLES, ...FEATURE_TABLES].map(section),
    ],
  );
}

function rawEvents(): string {
  return `## raw_events

- one row: event, as it was delivered
- stored as: ${FORMATS.json}; Athena shows the column names in lower case, and each line as a row
- blank lines: rows of nulls there, as is much of what is not JSON; ingest passes over blank lines and refuses the others, so
  leave them out with \`page IS NOT NULL\`, and count rows by \`rows_read\` of \`ingest_files\`
- partitioned by: nothing
- written by: the user; the pipeline only reads it

${table(
  ['column', 'type', 'meaning', 'may be missing', 'what ingest does'],
  RAW_COLUMNS.map(({ name, type, meaning, optional, treatment }) => [
    code(name),
    type,
    meaning,
    optional ? 'yes' : 'no',
    treatment,
  ]),
)}`;
}

function section({ name, format, grain, partitionedBy, writtenBy, columns }: Table): string {
  const features = new Set(FEATURES.map((feature) => feature.name));
  const isFeature = (column: Column): boolean => name === FEATURES_TABLE.name && features.has(column.name);
  const own = columns.filter((column) => !isFeature(column));
  const more = columns.filter(isFeature);
  const hasSources = columns.some(({ from }) => from !== undefined);
  const parts = [
    `## ${name}`,
    [
      `- one row: ${grain}`,
      `- stored as: ${FORMATS[format]}`,
      `- partitioned by: ${partitionedBy.length === 0 ? 'nothing' : partitionedBy.map(code).join(', ')}`,
      `- written by: ${writtenBy}`,
    ].join('\n'),
    hasSources
      ? table(
          ['column', 'type', 'meaning', 'taken from'],
          own.map((column) => [...cells(column), column.from === undefined ? '' : code(column.from)]),
        )
      : table(['column', 'type', 'meaning'], own.map(cells)),
  ];
  if (more.length > 0)
    parts.push(`And ${more.length} features, each a \`double\`: [features.md](features.md).`);
  return parts.join('\n\n');
}

const cells = ({ name, type, meaning }: Column): readonly string[] => [code(name), type, meaning];
