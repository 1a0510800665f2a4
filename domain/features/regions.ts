/** The four census regions of the United States, by the states' two letters. */
export interface Region {
  readonly name: string;
  readonly label: string;
  readonly states: readonly string[];
}

/** Source: U.S. Census Bureau, census regions and divisions. */
export const REGIONS: readonly Region[] = [
  {
    name: 'northeast',
    label: 'the Northeast',
    states: ['CT', 'MA', 'ME', 'NH', 'NJ', 'NY', 'PA', 'RI', 'VT'],
  },
  {
    name: 'midwest',
    label: 'the Midwest',
    states: ['IA', 'IL', 'IN', 'KS', 'MI', 'MN', 'MO', 'ND', 'NE', 'OH', 'SD', 'WI'],
  },
  {
    name: 'south',
    label: 'the South',
    states: [
      ...['AL', 'AR', 'DC', 'DE', 'FL', 'GA', 'KY', 'LA', 'MD'],
      ...['MS', 'NC', 'OK', 'SC', 'TN', 'TX', 'VA', 'WV'],
    ],
  },
  {
    name: 'west',
    label: 'the West',
    states: ['AK', 'AZ', 'CA', 'CO', 'HI', 'ID', 'MT', 'NM', 'NV', 'OR', 'UT', 'WA', 'WY'],
  },
];
