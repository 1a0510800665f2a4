/** Formats numbers and durations for people. */
/** `4.2 s`, `1 min 05 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** `1,234,567`. */
export function count(value: number): string {
  return new Intl.NumberFormat('en-US').format(value);
}
