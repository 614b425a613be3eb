import { join } from 'node:path';
import { Random } from '../../processors/simulation/random.ts';
import { FAULT_POINTS, type FaultPoint } from './fault-points.ts';
import { spawnKizuna, type SpawnedKizuna } from './kizuna-process.ts';

/** The `pass`-th time that the process passes the point, counted from when the strike is armed: the first one from the start. */
export interface Strike {
  readonly point: FaultPoint;
  readonly pass: number;
}

type StrikeSignal = 'SIGKILL' | 'SIGSTOP';

/** A process that strikes itself. */
export interface FaultyKizuna extends SpawnedKizuna {
  /** Where it was struck, one entry a strike. */
  readonly struck: readonly string[];
  /** Lets the next strike come. */
  arm(): void;
}

/** Starts faulty-kizuna.ts with one strike or several. */
export function spawnFaulty(
  environment: Readonly<Record<string, string>>,
  signal: StrikeSignal,
  strikes: readonly Strike[],
): FaultyKizuna {
  const program = [join(import.meta.dirname, 'faulty-kizuna.ts'), signal];
  for (const { point, pass } of strikes) program.push(point, String(pass));
  const struck: string[] = [];
  const spawned = spawnKizuna(environment, program, (line) => {
    if (!line.includes('"message":"struck"')) return;
    const { point, where } = JSON.parse(line) as { point: string; where: string };
    struck.push(`${point}, ${where}`);
  });
  return { ...spawned, struck, arm: () => void process.kill(spawned.pid, 'SIGUSR2') };
}

/** The command line of faulty-kizuna.ts, read back. */
export function strikesFrom(args: readonly string[]): { signal: StrikeSignal; strikes: Strike[] } {
  const [signal = '', ...rest] = args;
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') throw new Error(`no signal to strike with: ${signal}`);
  const strikes: Strike[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    const point = FAULT_POINTS.find((each) => each === rest[at]);
    const pass = Number(rest[at + 1]);
    if (point === undefined || !(pass >= 1)) throw new Error(`no such strike: ${rest[at]} ${rest[at + 1]}`);
    strikes.push({ point, pass });
  }
  return { signal, strikes };
}

/** Every one of `points` once, in an order and at passes that the seed decides. */
export function drawStrikes(points: readonly FaultPoint[], seed: number): Strike[] {
  const random = new Random(seed);
  const left = [...points];
  const strikes: Strike[] = [];
  while (left.length > 0) {
    for (const point of left.splice(random.below(left.length), 1)) {
      // A process claims each of its partitions once; everything else it does again and again.
      const passes = point.endsWith('the claim') ? 2 : 5;
      strikes.push({ point, pass: 1 + random.below(passes) });
    }
  }
  return strikes;
}
