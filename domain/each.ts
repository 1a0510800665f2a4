/** Records that have one value for each name of a list, such as one for each step. */

/** Makes such a record. `names` has to hold every name of its type: the compiler cannot check that. */
export function each<Name extends string, Value>(
  names: readonly Name[],
  makeValue: (name: Name) => Value,
): Record<Name, Value> {
  const record = Object.fromEntries(names.map((name) => [name, makeValue(name)]));
  if (!hasEach(record, names)) throw new Error(`a value is missing for one of ${names.join(', ')}`);
  return record;
}

function hasEach<Name extends string, Value>(
  record: Record<string, Value>,
  names: readonly Name[],
): record is Record<Name, Value> {
  return names.every((name) => Object.hasOwn(record, name));
}
