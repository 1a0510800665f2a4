/** The features, group by group. */
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_GROUPS, type Feature } from '../../domain/features/measure.ts';
import { code, page, table } from './markdown.ts';

export function featuresDocument(): string {
  return page('Features', '`domain/features/catalogue.ts`', [
    `${FEATURES.length} columns of the table \`features\`, in the groups by which a user's reasons are given. A feature knows
only what happened before the cutoff. Its scale is how it enters a model that needs one (\`log1p\`: the logarithm of one
more than it). Drift in features that are exempt is shown and raises no alarm: they change with the age of the log. Not
every column is an input of the models: from those for \`segments\`, users are assigned to segments, those for \`people\` are shown.`,
    ...FEATURE_GROUPS.map(({ name, label }) => {
      const features = FEATURES.filter(({ group }) => group === name);
      return `## ${label} (\`${name}\`)\n\n${table(
        ['feature', 'label', 'meaning', 'unit', 'scale', 'when missing', 'drift', 'read by'],
        features.map(row),
      )}`;
    }),
  ]);
}

const row = ({ name, label, description, unit, scale, fill, drift, readBy }: Feature): readonly string[] => [
  code(name),
  label,
  description,
  unit,
  scale,
  String(fill),
  drift,
  readBy ?? 'models',
];
