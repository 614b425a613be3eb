/** The wait before try `failures` + 1, in ms: doubling from 250 ms to 15 s, with jitter so that processes do not march in step. */
export function backoffMs(failures: number): number {
  const ceiling = Math.min(15_000, 250 * 2 ** Math.min(failures, 10));
  return ceiling * (0.5 + Math.random() / 2);
}
