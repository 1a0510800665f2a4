/** The tables of features: keys, then one column a feature; and the label of the rows whose label is known. */
import type { Column, Table } from '../lake.ts';
import { FEATURES } from './catalogue.ts';

const KEYS: readonly Column[] = [
  { name: 'user_id', type: 'string', meaning: 'user' },
  {
    name: 'cutoff',
    type: 'date',
    meaning: 'only what happened before the start of this UTC day was known',
  },
];
const VALUES: readonly Column[] = FEATURES.map(({ name, description }) => ({
  name,
  type: 'double',
  meaning: description,
}));

/** Entered once its label is known, and computed again only when something has changed that it depends on. */
export const FEATURES_TABLE: Table = {
  name: 'features',
  format: 'iceberg',
  grain: 'user x cutoff of the grid whose label is known, as known at the cutoff',
  partitionedBy: ['cutoff'],
  writtenBy: 'BuildFeatures',
  columns: [
    ...KEYS,
    {
      name: 'label',
      type: 'int',
      meaning: '1 when the user cancelled within the horizon after the cutoff, else 0',
    },
    ...VALUES,
  ],
};

/** Replaced by each run. */
export const SCORING_FEATURES_TABLE: Table = {
  name: 'scoring_features',
  format: 'iceberg',
  grain: 'living user at the scoring cutoff of the last run',
  partitionedBy: [],
  writtenBy: 'BuildFeatures',
  columns: [...KEYS, ...VALUES],
};

export const FEATURE_TABLES: readonly Table[] = [FEATURES_TABLE, SCORING_FEATURES_TABLE];
