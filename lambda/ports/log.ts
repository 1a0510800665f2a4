/** Where a Lambda writes what people may want to know about a call that continues. */
export interface Log {
  warn(message: string): void;
}
