/** What a person may set for the tests of faults; CONTRIBUTING.md tells how. */

/** KIZUNA_TEST_LONG=1: the figures of the full run instead of those that fit every day's. */
export const isLongRun = process.env['KIZUNA_TEST_LONG'] === '1';

/** Decides what is left to chance. Printed, so that KIZUNA_TEST_SEED repeats it. */
export function testSeed(): number {
  const given = process.env['KIZUNA_TEST_SEED'];
  const seed = given === undefined || given === '' ? Math.floor(Math.random() * 1_000_000) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`KIZUNA_TEST_SEED=${given} is not a whole number`);
  process.stdout.write(`KIZUNA_TEST_SEED=${seed}\n`);
  return seed;
}
