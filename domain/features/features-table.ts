/** The table `features`: keys and label, then one column a feature. */
import type { Table } from '../lake.ts';
import { FEATURES } from './catalogue.ts';

export const FEATURES_TABLE: Table = {
  name: 'features',
  format: 'iceberg',
  grain: 'user x cutoff, as known at the cutoff',
  partitionedBy: ['cutoff'],
  writtenBy: 'BuildFeatures',
  columns: [
    { name: 'user_id', type: 'string', meaning: 'user' },
    {
      name: 'cutoff',
      type: 'date',
      meaning: 'only what happened before the start of this UTC day was known',
    },
    {
      name: 'role',
      type: 'string',
      meaning: 'what the row is for: train, past (tested for the record only), test or score',
    },
    {
      name: 'label',
      type: 'int',
      meaning:
        '1 when the user cancelled within the horizon after the cutoff, else 0; null when not yet known',
    },
    ...FEATURES.map(({ name, description }) => ({ name, type: 'double' as const, meaning: description })),
  ],
};
