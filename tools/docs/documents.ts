/** The pages that are derived from code: one line each. */
import { configurationDocument } from './configuration.ts';
import { dataDictionary } from './data-dictionary.ts';
import { featuresDocument } from './features.ts';
import { metricsDocument, requestDocument } from './reference-tables.ts';

/** Folder of the derived pages; it holds nothing else. */
export const REFERENCE_FOLDER = 'docs/reference';

/** File name in the folder, and what makes its text. */
export const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'configuration.md': configurationDocument,
  'data-dictionary.md': dataDictionary,
  'features.md': featuresDocument,
  'metrics.md': metricsDocument,
  'request.md': requestDocument,
};
