/** The sentence for people in what Step Functions passes as Cause. Pure functions. */

/** Keys under which Lambda, EMR and Athena put it, the most informative first. */
const MESSAGE_KEYS = ['errorMessage', 'ErrorMessage', 'Message', 'Reason', 'StateChangeReason'] as const;
const LONGEST = 2_000;

/** The informative part of a Cause that is JSON; any other text as it is, shortened. */
export function readableCause(cause: string): string {
  const message = messageIn(parsed(cause)) ?? cause;
  return message.length > LONGEST ? `${message.slice(0, LONGEST)} …` : message;
}

function messageIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = new Map<string, unknown>(Object.entries(value));
  for (const key of MESSAGE_KEYS) {
    const found = entries.get(key);
    if (typeof found === 'string' && found.trim() !== '') return found;
  }
  for (const nested of entries.values()) {
    const found = messageIn(nested);
    if (found !== undefined) return found;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
