import { Registry } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import { TOPICS } from '../topics/catalog.ts';
import { createProcessors, encodedTopics, topicDirectory } from './catalog.ts';
import type { Definitions } from './core/definitions.ts';
import { loadDefinitions, shippedDefinitions } from './definitions/load.ts';
import type { Config } from './runtime/config.ts';
import { connectServices } from './runtime/connect.ts';
import { embedServices } from './runtime/embed.ts';
import { serveHealth } from './runtime/health.ts';
import { createMetrics } from './runtime/metrics.ts';
import type { OwnedPartition } from './runtime/owned-partition.ts';
import { startPipeline, type Pipeline } from './runtime/pipeline.ts';
import { storeName, type PipelinePorts } from './runtime/pipeline-ports.ts';
import type { Clock, Emitter, Log } from './runtime/ports.ts';
import type { Services } from './runtime/services.ts';

export interface StartOptions {
  readonly logger: Log;
  readonly clock: Clock;
  /** The processors to run; every one by default. */
  readonly only?: readonly string[];
  /** Called once the services are there, before anything is read: provisioning. */
  readonly provision?: (services: Services) => Promise<void>;
  /** Wraps what publishes, for whoever wants to watch. */
  readonly watch?: (emitter: Emitter) => Emitter;
}

/** A running Kizuna. Disposing stops it in the reverse order of its start. */
export interface Kizuna extends AsyncDisposable {
  readonly services: Services;
  readonly ports: PipelinePorts;
  readonly pipeline: Pipeline;
  readonly definitions: Definitions;
  readonly registry: Registry;
  /** Where /metrics, /livez and /readyz are. */
  readonly url: string;
}

/** How many partitions the embedded log has, and how much of each topic it keeps for whoever looks. */
const EMBEDDED = { partitions: 4, keepRecords: 10_000 };

/** The composition root: configuration, adapters, processors, in this order; what was opened is closed again when a step fails. */
export async function startKizuna(config: Config, options: StartOptions): Promise<Kizuna> {
  const { logger, clock } = options;
  await using stack = new AsyncDisposableStack();
  const definitions = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const processors = createProcessors(definitions);
  const registry = new Registry();
  const metrics = createMetrics(registry, packageJson.version);
  metrics.setDefinitions(definitions.hash);

  const stores = processors.filter((each) => each.kind === 'stateful').map(storeName);
  const wiring = { topics: TOPICS, stores, clock, logger, meter: metrics.meter };
  const services = stack.use(
    config.services === null
      ? await embedServices({ topics: TOPICS, clock, ...EMBEDDED })
      : await connectServices(config, config.services, wiring),
  );
  await options.provision?.(services);
  await services.codec.prepare(encodedTopics(processors));

  const { log, store, codec } = services;
  const emitter = options.watch?.(services.emitter) ?? services.emitter;
  const { limits } = config;
  const ports = {
    log,
    emitter,
    store,
    codec,
    clock,
    meter: metrics.meter,
    logger,
    topics: topicDirectory,
    limits,
    owned: new Set<OwnedPartition>(),
  };
  const pipeline = stack.use(
    await startPipeline(processors, ports, { time: config.time, ...(options.only && { only: options.only }) }),
  );
  const health = stack.use(
    await serveHealth({
      ...config.http,
      progress: new Map(pipeline.members.map((member) => [member.processor.name, member.progress])),
      conditions: {
        joined: () => pipeline.members.every((member) => member.joined),
        store: async () => (await store.ping(), true),
      },
      metrics: metrics.render,
      log: logger,
    }),
  );
  const opened = stack.move();
  return {
    services,
    ports,
    pipeline,
    definitions,
    registry,
    url: health.url,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
