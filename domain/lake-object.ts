/** What the definition of an object of the lake consists of. The definitions are in lake-objects.ts. */
import type { ObjectFormat } from './object-format.ts';

/** What to do about an object that cannot be read: a sentence each. */
export interface Remedy {
  readonly missing: string;
  readonly malformed: string;
}

/** What an object is, apart from its place. */
export interface ObjectDefinition<Value> {
  /** In a person's words: "plan of the run". */
  readonly what: string;
  readonly format: ObjectFormat<Value>;
  readonly remedy: Remedy;
}

/** An object, and where it is. */
export interface LakeObject<Value> extends ObjectDefinition<Value> {
  /** Its URI in the lake with that root, which has no slash at the end. */
  uriIn(lakeRoot: string): string;
}

/** An object whose place below the root of the lake is fixed. */
export interface PlacedObject<Value> extends LakeObject<Value> {
  readonly key: string;
}

/** Objects of one kind, one for each id: of a run or of a batch. `*` as the id gives the pattern of all their keys. */
export interface ObjectKind<Value> extends ObjectDefinition<Value> {
  /** The object of that id. */
  of(id: string): PlacedObject<Value>;
  /** The object of this kind at a URI that something else names: a plan, an event, a listing. */
  at(uri: string): LakeObject<Value>;
}

/** Objects of one kind that share a folder with nothing else, and are named by their ids. */
export interface FolderKind<Value> extends ObjectKind<Value> {
  /** Key of the folder, without a slash at the end. */
  readonly folder: string;
  /** Id by the URI; undefined for what writers leave beside the objects: drafts, checksums, markers. */
  idOf(uri: string): string | undefined;
}

/** The one object at that key. */
export function objectAt<Value>(key: string, definition: ObjectDefinition<Value>): PlacedObject<Value> {
  return { ...definition, key, uriIn: (lakeRoot) => `${lakeRoot}/${key}` };
}

/** One object for each id. */
export function objectPerId<Value>(
  keyOf: (id: string) => string,
  definition: ObjectDefinition<Value>,
): ObjectKind<Value> {
  return {
    ...definition,
    of: (id) => objectAt(keyOf(id), definition),
    at: (uri) => ({ ...definition, uriIn: () => uri }),
  };
}

/** One object for each id, in a folder of their own. */
export function objectsInFolder<Value>(
  folder: string,
  ending: '.json' | '.html',
  definition: ObjectDefinition<Value>,
): FolderKind<Value> {
  return {
    ...objectPerId((id) => `${folder}/${id}${ending}`, definition),
    folder,
    idOf: (uri) => {
      const name = uri.slice(uri.lastIndexOf('/') + 1);
      return name.endsWith(ending) ? name.slice(0, -ending.length) : undefined;
    },
  };
}
