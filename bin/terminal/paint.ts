/** Colours, only where a terminal shows them. */
import { styleText } from 'node:util';

export type Paint = (colour: 'green' | 'red' | 'yellow' | 'bold' | 'dim', text: string) => string;

/** Text as it is: for files, pipes and tests. */
export const plain: Paint = (_colour, text) => text;

/** Colours if the stream is a terminal that has them, and NO_COLOR does not say otherwise. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (colour, text) => styleText(colour, text, { stream, validateStream: true });
}
