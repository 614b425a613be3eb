import { Registry } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import { TOPICS } from '../topics/catalog.ts';
import { createApi } from './api/routes.ts';
import { serveApi } from './api/server.ts';
import { createProcessors, encodedTopics, topicDirectory } from './catalog.ts';
import { loadDefinitions, shippedDefinitions } from './definitions/load.ts';
import type { Config } from './runtime/config.ts';
import { ActiveDefinitions } from './runtime/definition-generations.ts';
import { serveHealth } from './runtime/health.ts';
import { createMetrics } from './runtime/metrics.ts';
import { openServices } from './runtime/open-services.ts';
import type { OwnedPartition } from './runtime/owned-partition.ts';
import { startPipeline } from './runtime/pipeline.ts';
import { storeName } from './runtime/pipeline-ports.ts';
import type { Clock, Log } from './runtime/ports.ts';
import { Refusals } from './runtime/refusals.ts';
import type { Services } from './runtime/services.ts';
import { startWhileActive } from './runtime/while-active.ts';

export interface StartOptions {
  readonly logger: Log;
  readonly clock: Clock;
  /** The processors to run; every one by default. */
  readonly only?: readonly string[];
  /** Called once the services are there, before anything is read: provisioning. */
  readonly provision?: (services: Services) => Promise<void>;
  /** Wraps what the processors run on, for whoever wants to watch. */
  readonly watch?: (services: Services) => Services;
}

/** A running Kizuna: `url` is where /metrics, /livez and /readyz are, `apiUrl` the API. Disposing stops it in the reverse order of its start. */
export type Kizuna = Awaited<ReturnType<typeof startKizuna>>;

/** The composition root: configuration, adapters, processors, in this order; what was opened is closed again when a step fails. */
export async function startKizuna(config: Config, { logger, clock, ...options }: StartOptions) {
  await using stack = new AsyncDisposableStack();
  const definitions = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const processors = createProcessors(definitions);
  const registry = new Registry();
  const { meter, render, setDefinitions, startAtZero } = createMetrics(registry, packageJson.version);
  setDefinitions(definitions);
  startAtZero(processors.filter(({ name }) => options.only?.includes(name) ?? true));

  const stateful = processors.filter((each) => each.kind === 'stateful');
  const stores = stateful.map(storeName);
  const revised = stateful.filter(({ revisions }) => revisions !== undefined).map(storeName);
  const services = stack.use(await openServices(config, { topics: TOPICS, stores, revised, clock, logger, meter }));
  await options.provision?.(services);
  await services.codec.prepare(encodedTopics(processors));

  const { log, emitter, store, codec } = options.watch?.(services) ?? services;
  const owned = new Set<OwnedPartition>();
  const topics = topicDirectory;
  const { limits } = config;
  const refusals = config.stopWhenRefused ? { refusals: new Refusals() } : {};
  const active = new ActiveDefinitions(store.generations, definitions.hash);
  const mayOwn = () => active.refuseOthers();
  const ports = { log, emitter, store, codec, clock, meter, logger, topics, limits, owned, mayOwn, ...refusals };
  const purge = { afterMs: config.purgeAfterMs };
  const run = { time: config.time, purge, ...(options.only && { only: options.only }) };
  const pipeline = stack.use(
    await startWhileActive({ definitions: active, clock, logger, start: () => startPipeline(processors, ports, run) }),
  );
  const conditions = {
    definitions: () => active.isOurs,
    joined: () => pipeline.members.every((member) => member.joined),
    log: () => pipeline.logAnswers,
    store: async () => (await store.ping(), true),
  };
  const progress = () => new Map(pipeline.members.map((member) => [member.processor.name, member.progress]));
  const { url } = stack.use(await serveHealth({ ...config.http, progress, conditions, metrics: render, log: logger }));
  const api = config.api && createApi(definitions, { store, log, owned, clock });
  const served = config.api && api && stack.use(await serveApi(api, { ...config.api, meter, log: logger }));
  const apiUrl = served?.url ?? null;
  const opened = stack.move();
  const stop = (): Promise<void> => opened.disposeAsync();
  return { services, ports, pipeline, definitions, registry, url, apiUrl, [Symbol.asyncDispose]: stop };
}
