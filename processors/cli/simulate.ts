import { setTimeout as wait } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { createPainter, type Screen } from '../simulation/painter.ts';
import { paceFor, paceYear, type PacedShop } from '../simulation/pace.ts';
import { DAY_MS } from '../simulation/rhythm.ts';
import { simulateShop, type ShopRecord } from '../simulation/shop.ts';
import type { ShopSummary } from '../simulation/summary.ts';
import { startKizuna, type Kizuna } from '../main.ts';
import { ConfigurationError } from '../core/errors.ts';
import { loadConfig, type Config } from '../runtime/config.ts';
import { createLog } from '../runtime/log.ts';
import type { Log, OutgoingRecord } from '../runtime/ports.ts';
import type { Services } from '../runtime/services.ts';
import { Ending } from './ending.ts';
import { provision } from './provision.ts';
import { COMMANDS, ShopDesk } from './shop-desk.ts';
import { ShopLag } from './shop-lag.ts';
import { ShopWatch } from './shop-watch.ts';
import type { Terminal } from './terminal.ts';

interface SimulateFlags {
  readonly for?: number;
  readonly customers: number;
  readonly seed: number;
  readonly json?: true;
}

const INPUT = 'interactions.v1';
/** A year and a little, so that a window of 365 days is full at the present. */
const SPAN_MS = 370 * DAY_MS;
/** How long the year takes to pass when the pipeline keeps up. */
const YEAR_SECONDS = 8;
const MOST_LAG_RECORDS = 20_000;
const PAINT_EVERY_MS = 500;
/** What is still under way when the end comes is given so long to be folded, or half of the time that the end has. */
const LAST_LAG_MS = 5_000;

export function addSimulate(program: Command, terminal: Terminal): void {
  program
    .command('simulate')
    .description('run the whole pipeline over a simulated shop: a year passes, then the present goes on')
    .option('--for <duration>', 'end by itself after so long, like 20s or 2m (default: until Ctrl-C)', parseDuration)
    .option('--customers <n>', 'how many people come to the shop', parseCount, 2_000)
    .option('--seed <n>', 'another seed, another shop', parseCount, 1)
    .option('--json', 'print nothing but the summary at the end, as JSON')
    .addHelpText(
      'after',
      '\nEmbedded by default: log and store are in memory and nothing is kept. With KIZUNA_KAFKA_BROKERS, KIZUNA_MONGODB_URI and\nKIZUNA_SCHEMA_REGISTRY_URL set, topics and schemas are provisioned there and it runs on them.\nA second signal, or an end that takes more than KIZUNA_SHUTDOWN_MS, ends at once with 1.\n\nExample:\n  $ kizuna simulate --for 20s',
    )
    .action((flags: SimulateFlags) => simulate(flags, terminal));
}

async function simulate(flags: SimulateFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  // What the terminal shows is the summary; the log only interrupts it with what somebody should see.
  const logger = createLog(config.log.level === 'info' ? 'warn' : config.log.level, {
    write: (line) => {
      terminal.err(line);
    },
  });
  const startedAt = Date.now();
  const stop = new AbortController();
  using ending = new Ending(terminal, config.shutdownMs, logger);
  void ending.requested.then(() => {
    stop.abort();
  });
  let kizuna: Kizuna | null = null;
  const desk = new ShopDesk(flags.seed);
  const shop = paceShop(flags, startedAt, desk, stop.signal, () => kizuna);
  const watch = new ShopWatch();
  await using running = await startKizuna(config, {
    logger,
    // The pipeline's clock is the shop's, which ends at the present: a broker refuses timestamps ahead of its own.
    clock: shop.clock,
    provision: async (services) => {
      if (config.services !== null) await provisionShop(config, services, logger);
      await services.codec.prepare([INPUT, COMMANDS]);
    },
    watch: (services) => {
      return { ...services, emitter: desk.emitter(watch.emitter(services.emitter), services.codec) };
    },
  });
  kizuna = running;
  const embedded = config.services === null;
  const summary = (): Promise<ShopSummary> =>
    watch.summary(running, { startedAt, simulatedAt: shop.clock.now(), live: shop.arrived(), embedded });
  const painter = createPainter(screenOf(terminal), { colour: process.stdout.isTTY, json: flags.json === true });
  const deadline =
    flags.for === undefined
      ? undefined
      : setTimeout(() => {
          stop.abort();
        }, flags.for);
  const paint = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      painter.update(await summary());
      await pause(PAINT_EVERY_MS, stop.signal);
    }
  };
  try {
    await Promise.race([Promise.all([shop.feed(), paint()]), running.pipeline.failed]);
    ending.begin();
    await foldTheRest(running, Math.min(LAST_LAG_MS, config.shutdownMs / 2));
    painter.finish(await summary());
  } finally {
    stop.abort();
    ending.begin();
    clearTimeout(deadline);
  }
}

/** Where the summary is drawn: the size and kind are those of stdout as they are now. */
function screenOf(terminal: Terminal): Screen {
  const { stdout } = process;
  return {
    write: (text) => {
      terminal.out(text);
    },
    isTTY: stdout.isTTY,
    get columns() {
      return stdout.columns;
    },
    get rows() {
      return stdout.rows;
    },
  };
}

function paceShop(
  flags: SimulateFlags,
  startedAt: number,
  desk: ShopDesk,
  stop: AbortSignal,
  kizuna: () => Kizuna | null,
): PacedShop {
  const from = startedAt - SPAN_MS;
  const { seed, customers } = flags;
  const rush = { from: startedAt, visitsPerMinute: 120 };
  const lag = new ShopLag();
  return paceYear({
    records: simulateShop({ seed, customers, from, to: Number.POSITIVE_INFINITY, rush }),
    from,
    wall: { now: Date.now },
    pace: paceFor(SPAN_MS, YEAR_SECONDS),
    send: async (records) => {
      const services = kizuna()?.services;
      if (services === undefined) return;
      const commands = desk.recordsUntil(records.at(-1)?.timestamp ?? from, services.codec);
      await services.emitter.send([...records.map((record) => toOutgoing(record, services)), ...commands]);
      lag.sent(records.length + commands.length);
    },
    lagRecords: () => lag.records(kizuna()),
    mostLagRecords: MOST_LAG_RECORDS,
    wait: (ms) => pause(ms, stop),
    stop,
  });
}

function toOutgoing(record: ShopRecord, { codec }: Services): OutgoingRecord {
  const value = record.kind === 'raw' ? record.bytes : codec.encode(INPUT, record.value);
  return { topic: INPUT, key: Buffer.from(record.key), value, timestamp: record.timestamp, headers: {} };
}

/** Topics and schemas; a topic with a year's old timestamps must not be emptied by retention. */
async function provisionShop(config: Config, services: Services, logger: Log): Promise<void> {
  await provision(config, services.registry, logger, { retentionMs: -1 });
  const held = (await services.log.ranges(INPUT)).reduce((sum, { start, end }) => sum + end - start, 0);
  if (held === 0) return;
  const message = `${INPUT} already holds ${held} records, and a simulated year must begin with none: set another KIZUNA_PREFIX`;
  throw new ConfigurationError([{ where: 'KIZUNA_PREFIX', message }]);
}

async function foldTheRest(kizuna: Kizuna, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  const lag = new ShopLag();
  while (performance.now() < until && (await lag.records(kizuna)) > 0) await wait(50);
}

/** Cut short, without a word, when `stop` is given. */
async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal: stop }).catch(() => undefined);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw new InvalidArgumentError('not a duration like 20s or 2m');
  return Number(count) * (UNITS_MS[unit] ?? 1);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('not a whole number of at least 1');
  return count;
}
