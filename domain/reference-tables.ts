/** Reference tables of the docs, in Markdown, made from the definitions. Pure functions. */
import { betterText, metricHeading } from './metrics.ts';
import { METRICS, type Metric, type MetricDecision } from './models.ts';
import { REQUEST_FIELDS, type RequestField, type RequestValue } from './request-fields.ts';
import { runSettingsSchema } from './run.ts';

/** The fields of a run request. */
export function requestFieldsTable(): string {
  const settings = new Map<string, unknown>(Object.entries(runSettingsSchema.parse({})));
  return markdownTable(
    ['field', 'option', 'value', 'default', 'meaning'],
    REQUEST_FIELDS.map((field) => [
      `\`${field.name}\``,
      `\`${field.option}\``,
      valueText(field.value),
      field.isSetting
        ? `the deployment's setting (${String(settings.get(field.name))} unless configured)`
        : (field.default ?? ''),
      fieldMeaning(field),
    ]),
  );
}

/** The metrics by which models are judged. The report's table of all metrics shows each of them. */
export function metricsTable(): string {
  const metrics: readonly Metric[] = METRICS;
  return markdownTable(
    ['metric', 'name', 'meaning', 'better', 'digits', 'also shown in', 'decides'],
    metrics.map((metric) => [
      `\`${metric.name}\``,
      metricHeading(metric),
      metric.meaning,
      betterText(metric),
      `${metric.digits}${metric.unit === '%' ? ', in percent' : ''}`,
      metric.shownIn.join(', '),
      metric.decides.map((decision) => DECISIONS[decision]).join(', '),
    ]),
  );
}

const DECISIONS: Readonly<Record<MetricDecision, string>> = {
  choice: 'which candidate is chosen (out-of-fold)',
  baselines: 'whether the chosen model beats the baselines',
  champion: 'whether the challenger is as good as the champion',
};

function valueText(value: RequestValue): string {
  switch (value.kind) {
    case 'whole number':
      return `${value.least} to ${value.most}`;
    case 'share':
      return '0 to 1';
    case 'day':
      return '`YYYY-MM-DD`';
    case 'switch':
      return '`true` or `false`';
    default:
      return value.kind;
  }
}

function fieldMeaning({ meaning, standsAlone }: RequestField): string {
  return standsAlone ? `${meaning}; no other field may be given with it` : meaning;
}

function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}
