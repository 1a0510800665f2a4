/** What the synthesized state machine asks EMR for. */
import { z } from 'zod';
import { allStates, parseMachine } from '../../local/interpreter/state-language.ts';
import { withDefinition } from '../../local/template/synthesize.ts';
import { type Classifications, deployed } from './classifications.ts';

const requestSchema = z.looseObject({
  Configurations: z.array(
    z.looseObject({
      Classification: z.string(),
      Properties: z.record(z.string(), z.string()).default({}),
    }),
  ),
});

/** The classifications of CreateCluster. Those that a plan fills in (`name.$`) are left out: they are sizes. */
export function deployedClassifications(): Promise<Classifications> {
  return withDefinition(async ({ states }) => {
    const create = allStates(parseMachine(states)).find(({ name }) => name === 'CreateCluster');
    const { Configurations: configurations } = requestSchema.parse(create?.state.Parameters);
    return deployed(
      configurations.map(({ Classification, Properties }) => ({
        Classification,
        Properties: Object.fromEntries(Object.entries(Properties).filter(([name]) => !name.endsWith('.$'))),
      })),
    );
  });
}
