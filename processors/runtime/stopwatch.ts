/**
 * Elapsed time of this process in ms, for measuring, for ages of what is dirty and for back-off: nothing that a record's
 * outcome depends on. The present, in which records and deadlines live, is the Clock port.
 */
export function elapsedMs(): number {
  return performance.now();
}

/** Starts a stopwatch; each call answers the seconds since. */
export function stopwatch(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}
