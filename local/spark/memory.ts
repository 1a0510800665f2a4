/** How much memory a run may use: a container's limit where there is one, which Java and Node do not both see. */
import { totalmem } from 'node:os';

/** The limit of this container in bytes; undefined without one. */
function limit(): number | undefined {
  const bytes = process.constrainedMemory();
  return bytes > 0 && bytes < totalmem() ? bytes : undefined;
}

export function isMemoryLimited(): boolean {
  return limit() !== undefined;
}

export function memoryBytes(): number {
  return limit() ?? totalmem();
}
