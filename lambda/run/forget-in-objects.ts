/** Forgotten users in the objects beside the tables: found, and taken out. */
import { OBJECT_PLACES, type ObjectPlace } from '../../domain/user-id-places.ts';
import { mentionsUser, withoutUsers } from '../../domain/user-mentions.ts';
import type { Lake } from './lake.ts';

export interface Mention {
  readonly uri: string;
  readonly place: ObjectPlace;
}

/** Objects that mention any of the users, in the places where ids may be. */
export async function objectsThatMention(lake: Lake, users: readonly string[]): Promise<readonly Mention[]> {
  const found: Mention[] = [];
  for (const place of OBJECT_PLACES) {
    for (const { uri, text } of await lake.texts(place.object)) {
      if (users.some((user) => mentionsUser(text, user, place.mentions))) found.push({ uri, place });
    }
  }
  return found;
}

/**
 * Takes the users out of every object that mentions them, as its place says.
 * @returns the objects that were changed or removed
 */
export async function forgetInObjects(lake: Lake, users: readonly string[]): Promise<readonly Mention[]> {
  const found = await objectsThatMention(lake, users);
  for (const { uri, place } of found)
    await lake.rewrite(uri, place.object, (text) => withoutUsers(text, users, place.mentions));
  return found;
}
