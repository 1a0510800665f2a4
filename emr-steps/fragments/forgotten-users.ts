/** Rows of users who asked to be forgotten. */
import { FORGOTTEN_USERS } from '../../domain/lake-objects.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { files } from './files.ts';
import { parsed } from './raw-columns.ts';

export const forgottenUsers = fragment({
  file: import.meta.url,
  needs: [files],
  imports: [
    'from typing import TypedDict',
    'from pyspark.sql import Column',
    'from pyspark.sql import functions as F',
  ],
  constants: python`FORGOTTEN_USERS = ${FORGOTTEN_USERS.key}`,
  code: python`
    class ForgottenUsers(TypedDict):
        """The users who asked to be forgotten, by salted hashes of their ids."""

        salt: str
        hashes: list[str]


    def forgotten_users(files: Files, lake_root: str) -> ForgottenUsers | None:
        """The list of users who asked to be forgotten, as it is now."""
        uri = f"{lake_root}/{FORGOTTEN_USERS}"
        if not files.exists(uri):
            return None
        forgotten: ForgottenUsers = files.read_json(uri)
        return forgotten


    def is_forgotten(forgotten: ForgottenUsers | None, user: str = ${parsed('userId')}) -> Column:
        """Whether the row's user is on the list."""
        if forgotten is None:
            return F.lit(False)
        return F.sha2(F.concat(F.lit(forgotten["salt"]), user), 256).isin(forgotten["hashes"])
  `,
});
