import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createProcessors } from '../../processors/catalog.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { startChild, type Child } from '../bench/child-process.ts';
import { offerEvents } from '../bench/offering.ts';
import { RUN, spawnKizuna } from '../harness/kizuna-process.ts';
import { placeOn } from '../harness/place.ts';
import { provisionPlace, type ProvisionedPlace } from '../harness/provisioned-place.ts';
import type { ServiceAddresses } from '../harness/services.ts';
import { judgeLooks, type Judged, type Look } from './measures.ts';
import type { MemberReport, MemberTask } from './member-process.ts';

export interface Soak {
  readonly minutes: number;
  /** Events offered a second. */
  readonly perSecond: number;
  readonly services: ServiceAddresses;
  readonly progress: (line: string) => void;
}

export interface SoakFound {
  readonly judged: readonly Judged[];
  readonly looks: readonly Look[];
  readonly warmUpMinutes: number;
  readonly restarts: number;
  readonly generatorLateMs: number;
}

/** Twice as many as may be cached, so that customers are forgotten and read again all the time. */
const CUSTOMERS = 2_000;
const CACHED = 1_000;
/** Of so many records one cannot be read, and ends among the dead letters. */
const UNREADABLE_ONE_IN = 100;
const PARTITIONS = 4;
const LOOKS = 360;
const LOOK_LEAST_MS = 1_000;
/** The beginning is not judged: code is compiled, caches fill. */
const WARM_UP_SHARE = 0.4;
const WARM_UP_MINUTES_MAX = 5;
/** So many pieces, between which the other member is restarted. */
const PIECES = 6;
const PIECE_SECONDS_MAX = 120;

/**
 * Runs the whole pipeline in two processes under steady load, one of them restarted now and then, every second time by
 * SIGKILL, and judges what the other, which lives on, has more and more of.
 */
export async function soak({ minutes, perSecond, services, progress }: Soak): Promise<SoakFound> {
  // The bound is shared by the partitions of every processor with state, and customers are to have this much of it.
  const sharers = createProcessors(await loadDefinitions(shippedDefinitions)).filter(({ kind }) => kind === 'stateful');
  const settings = {
    KIZUNA_CACHED_KEYS_MAX: String(CACHED * sharers.length),
    KIZUNA_DIRTY_DOCUMENTS_MAX: String(CACHED),
  };
  await using place = await provisionPlace(placeOn(services, 'soak'), {
    time: 'live',
    partitions: PARTITIONS,
    settings,
  });
  const seconds = Math.ceil(minutes * 60);
  using watched = startChild<MemberTask | { stop: true }, MemberReport>(
    join(import.meta.dirname, 'member-process.ts'),
    null,
  );
  watched.send({ environment: place.environment, everyMs: Math.max(LOOK_LEAST_MS, (seconds * 1000) / LOOKS) });
  await watched.next();
  const looks: Look[] = [];
  const over = new AbortController();
  const looking = takeLooks(watched, looks, over.signal);
  const restarting = restartOften(place, 1000 * Math.min(PIECE_SECONDS_MAX, seconds / PIECES), over.signal, progress);
  const telling = tellEveryMinute(looks, over.signal, progress);
  const load = { perSecond, seconds, customers: CUSTOMERS, from: Date.now() + 1_000, alter: spoil, stop: over.signal };
  let generatorLateMs: number;
  try {
    [generatorLateMs] = await Promise.all([
      offerEvents(load, place).finally(() => {
        over.abort();
      }),
      looking,
      restarting,
    ]);
  } finally {
    over.abort();
    await Promise.allSettled([looking, restarting, telling]);
  }
  const warmUpMinutes = Math.min(WARM_UP_MINUTES_MAX, minutes * WARM_UP_SHARE);
  const judged = judgeLooks(looks, warmUpMinutes);
  return { judged, looks, warmUpMinutes, restarts: await restarting, generatorLateMs };
}

/** Collects what the process says until all is over, and ends it then; it may not end before. */
async function takeLooks(
  watched: Child<{ stop: true }, MemberReport>,
  looks: Look[],
  over: AbortSignal,
): Promise<void> {
  over.addEventListener('abort', () => {
    watched.send({ stop: true });
  });
  try {
    for (;;) {
      const report = await watched.next();
      if (report.kind === 'look') looks.push(report.look);
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

/** The other member: runs for a while, ends, and starts again at once. Answers how often. */
async function restartOften(
  { environment }: ProvisionedPlace,
  everyMs: number,
  over: AbortSignal,
  progress: (line: string) => void,
): Promise<number> {
  for (let restarts = 0; ; restarts++) {
    await using member = spawnKizuna(environment, RUN);
    await Promise.race([pause(everyMs, over), member.failed]);
    const kill = restarts % 2 === 1;
    if (!kill || over.aborted) await member.stop();
    if (over.aborted) return restarts;
    progress(`the other member ${kill ? 'was killed' : 'left'}`);
  }
}

async function tellEveryMinute(looks: readonly Look[], over: AbortSignal, progress: (line: string) => void) {
  while (!over.aborted) {
    await pause(60_000, over);
    const last = looks.at(-1);
    if (last === undefined) continue;
    const { minutes, ...values } = last;
    const shown = Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(1)}`);
    progress(`${minutes.toFixed(1)} min: ${shown.join(', ')}`);
  }
}

async function pause(ms: number, over: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal: over }).catch(() => undefined);
}

function spoil(record: OutgoingRecord, index: number): OutgoingRecord {
  return index % UNREADABLE_ONE_IN === 0 ? { ...record, value: Buffer.from('not to be read') } : record;
}
