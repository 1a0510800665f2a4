/** How values that can only mean one thing are written in files that were exported by other tools, and are read all the same. */

export interface Adaptation {
  readonly code: string;
  /** What the rows had, in the plural. */
  readonly meaning: string;
  /** What such a row may say, and how it is read. */
  readonly example: string;
}

export const ADAPTATIONS = [
  {
    code: 'whole_fraction',
    meaning: 'whole numbers written with a fraction or an exponent',
    example: '"itemInSession": 12.0 is 12',
  },
  { code: 'quoted_number', meaning: 'numbers in quotes', example: '"status": "200" is 200' },
  {
    code: 'other_case',
    meaning: 'column names in another case or in snake case',
    example: '"session_id" is "sessionId"',
  },
  {
    code: 'cut_out',
    meaning: 'objects in a JSON array, or one after another on a line or over several',
    example: '[{…}, {…}] is two rows',
  },
] as const satisfies readonly Adaptation[];

export type AdaptationCode = (typeof ADAPTATIONS)[number]['code'];

/** A file that is an array, or objects one after another, is cut into its objects up to this size; a larger one is refused. */
export const LARGEST_CUT_BYTES = 268_435_456;
/** JSON is packed by about this factor. */
export const PACKED_BYTES_FACTOR = 6;

/** Rows that were adapted, and the files they came in; a row can have been adapted in several ways. */
interface Adapted {
  readonly rows: number;
  readonly files: number;
  readonly by: readonly {
    readonly adaptation: AdaptationCode;
    readonly rows: number;
    readonly files: number;
  }[];
}

const amount = (number: number, thing: string): string =>
  `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`;

/** One sentence without its full stop that says what was adapted; none where nothing was. */
export function adaptedTexts(adapted: Adapted | undefined): readonly string[] {
  if (adapted === undefined || adapted.rows === 0) return [];
  const ways = adapted.by.map(({ adaptation, rows, files }) => {
    const meaning = ADAPTATIONS.find(({ code }) => code === adaptation)?.meaning ?? adaptation;
    return `${meaning} (${amount(rows, 'row')} in ${amount(files, 'file')})`;
  });
  return [
    `${amount(adapted.rows, 'row')} in ${amount(adapted.files, 'file')} were read although they are not written as they ` +
      `should be: ${ways.join(', ')}`,
  ];
}
