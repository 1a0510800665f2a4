/** The pages of the request fields and of the metrics. */
import { betterText, metricHeading } from '../../domain/metrics.ts';
import { METRICS, type Metric, type MetricDecision } from '../../domain/models.ts';
import { REQUEST_FIELDS, type RequestField, type RequestValue } from '../../domain/request-fields.ts';
import { runSettingsSchema } from '../../domain/run.ts';
import { page, table } from './markdown.ts';

/** The page of the fields of a run request. */
export function requestDocument(): string {
  return page('Fields of a run request', '`domain/request-fields.ts`', [
    'A request is the JSON that starts a run; `{}` asks for the defaults. `churn run` and `churn start` have the options.',
    requestFieldsTable(),
  ]);
}

/** The page of the metrics. */
export function metricsDocument(): string {
  return page('Metrics of the models', '`domain/models.ts`', [metricsTable()]);
}

/** The fields of a run request. */
export function requestFieldsTable(): string {
  const settings = new Map<string, unknown>(Object.entries(runSettingsSchema.parse({})));
  return table(
    ['field', 'option', 'value', 'default', 'meaning'],
    REQUEST_FIELDS.map((field) => [
      `\`${field.name}\``,
      field.offeredBy.length === 0 ? '' : `\`${field.option}\``,
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
  return table(
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
    case 'one of':
      return value.values.map((name) => `\`${name}\``).join(', ');
    default:
      return value.kind;
  }
}

function fieldMeaning({ meaning, standsAlone }: RequestField): string {
  return standsAlone ? `${meaning}; no other field may be given with it` : meaning;
}
