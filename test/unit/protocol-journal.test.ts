import { describe, expect, test } from 'vitest';
import { runJournal } from './protocol/journal-model.ts';
import type { JournalRun } from './protocol/journal-model.ts';
import { HARSH, JOURNAL_BREAKS, USUAL } from './protocol/journal-world.ts';
import type { JournalBreak, Scale } from './protocol/journal-world.ts';

/** Found by `node test/unit/protocol/search.ts --break all`: a run in which the break loses, repeats or changes something. */
const FAILING_SEED: Readonly<Record<JournalBreak, number>> = {
  noCompareAndSet: 1,
  resumeFromCommittedOffset: 1,
  noSecondEmission: 1,
  blockWithoutMajority: 5,
  unflushedOverwritten: 1,
  unsentOverwritten: 2,
  flushWithoutSeqGuard: 4,
  documentsWithoutMajority: 19,
  refusedInsertTakenAsStored: 1,
  sendsNotAwaited: 3,
  documentsWithoutCausalSession: 1,
  cacheKeptBlindly: 9,
  unflushedNotLoaded: 1,
  noClaim: 71,
  nonceOutlivesCache: 5,
  unknownTakenAsWritten: 4,
};

describe('the journal protocol', () => {
  test.each<[string, Scale, number]>([
    ['four rivals on a ring of four', USUAL, 4_000],
    ['eight rivals on a ring of three', HARSH, 1_000],
  ])('ends as an offline fold, whatever happens: %s', (title, scale, runs) => {
    const total: Record<keyof JournalRun['counts'], number> = {
      ...{ takeOvers: 0, claimsLost: 0, unknownResults: 0, rivalInserts: 0 },
      ...{ lateArrivals: 0, rolledBack: 0, repeats: 0 },
    };
    for (let seed = 1; seed <= runs; seed++) {
      const { wrong, counts } = runJournal(seed, scale, null);
      if (wrong !== null) expect.fail(`seed ${seed}: ${wrong}`);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
    }
    // A model that does not meet its dangers proves nothing.
    for (const [name, count] of Object.entries(total)) expect(count, name).toBeGreaterThan(runs / 100);
    process.stdout.write(`${title}, ${runs} runs: ${JSON.stringify(total)}\n`);
  });

  test.each(JOURNAL_BREAKS)('needs all of it: the model notices %s', (broken) => {
    const seed = FAILING_SEED[broken];
    expect(runJournal(seed, USUAL, broken).wrong).toMatch(/^(document|output|\d+ outputs) /);
    expect(runJournal(seed, USUAL, null).wrong).toBeNull();
  });
});
