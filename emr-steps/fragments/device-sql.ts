/** The device and system of a user agent, as SQL. */
import { DEVICES, OTHER, UNKNOWN } from '../../domain/exploration.ts';
import { sqlString } from './tables.ts';

/** Over a column `user_agent`. */
export const DEVICE_SQL = [
  `CASE WHEN user_agent IS NULL THEN ${sqlString(UNKNOWN)}`,
  ...DEVICES.map(
    ({ value, text }) => `WHEN CONTAINS(user_agent, ${sqlString(text)}) THEN ${sqlString(value)}`,
  ),
  `ELSE ${sqlString(OTHER)} END`,
].join('\n    ');
