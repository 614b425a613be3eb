import { Owner } from './journal-owner.ts';
import { fold, World } from './journal-world.ts';
import type { JournalBreak, Scale } from './journal-world.ts';
import type { Steps } from './steps.ts';

/** Far more steps than a last, undisturbed owner needs. */
const CALM_STEPS = 20_000;

interface Process {
  readonly owner: Owner;
  readonly activities: readonly Steps<never>[];
  asleep: boolean;
}

export interface JournalRun {
  /** What differs from an offline fold of the input; null when nothing does. */
  readonly wrong: string | null;
  readonly counts: World['counts'] & { readonly repeats: number };
}

/**
 * One partition with a ring of a few slots: rival owners, crashes, long sleeps, failovers, stale reads, lost and late
 * requests; then one last owner in peace. The documents, and what a reader of the output topic keeps, must then be those of
 * an offline fold.
 */
export function runJournal(seed: number, scale: Scale, broken: JournalBreak | null): JournalRun {
  const world = new World(seed, scale, broken);
  const { random, database } = world;
  let processes: Process[] = [];
  let crashes = scale.crashes;
  let failovers = scale.failovers;
  const start = (): void => {
    const owner = new Owner(world);
    processes.push({ owner, activities: [owner.work(), owner.flush()], asleep: false });
  };

  for (let step = 0; step < scale.steps; step++) {
    if (processes.length < scale.rivals && random.chance(processes.length === 0 ? 0.5 : 0.01)) start();
    const one = processes[random.below(processes.length)];
    if (one !== undefined) {
      if (random.chance(0.02)) one.asleep = !one.asleep;
      else if (crashes > 0 && random.chance(0.01)) {
        crashes--;
        processes = processes.filter((each) => each !== one);
      } else if (!one.asleep) one.activities[random.below(2)]?.next();
    }
    if (failovers > 0 && random.chance(0.008)) {
      failovers--;
      const before = database.now;
      database.failover();
      world.counts.rolledBack += before - database.now;
    }
    if (random.chance(0.05)) database.acknowledge(database.now - random.below(3));
    stepLate(world);
  }

  processes = [];
  world.faults = false;
  start();
  const last = processes[0];
  for (let step = 0; step < CALM_STEPS && last?.owner.finished === false; step++) {
    last.activities[random.below(2)]?.next();
    stepLate(world);
  }
  while (world.late.length > 0) stepLate(world);
  database.acknowledge(database.now);
  const wrong = last?.owner.finished === true ? difference(world) : 'the last owner never finished';
  return { wrong, counts: { ...world.counts, repeats: world.delivered.length - world.input.length } };
}

function stepLate(world: World): void {
  const chosen = world.random.below(world.late.length);
  if (world.late[chosen]?.next().done === true) world.late.splice(chosen, 1);
}

function difference({ input, scale, database, delivered }: World): string | null {
  const states = new Map<number, number>();
  const expected = input.map(({ key, value }) => {
    const state = fold(states.get(key) ?? 0, value);
    states.set(key, state);
    return state;
  });
  for (let key = 0; key < scale.keys; key++) {
    const stored = database.docNow(key)?.state;
    if (stored !== states.get(key)) return `document ${key} is ${stored}, not ${states.get(key)}`;
  }
  const kept: number[] = [];
  let [seq, index] = [-1, -1];
  for (const record of delivered) {
    if (record.seq < seq || (record.seq === seq && record.index <= index)) continue;
    [seq, index] = [record.seq, record.index];
    kept.push(record.value);
  }
  const at = expected.findIndex((value, place) => kept[place] !== value);
  if (at >= 0) return `output ${at} is ${kept[at]}, not ${expected[at]}`;
  return kept.length === expected.length ? null : `${kept.length} outputs instead of ${expected.length}`;
}
