import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import { Failure } from './consumption.ts';
import type { ActiveDefinitions } from './definition-generations.ts';
import type { Pipeline } from './pipeline.ts';
import type { Clock, Log } from './ports.ts';

/** How often it is asked which definitions are active. */
const LOOK_EVERY_MS = 1_000;

export interface WhileActive {
  readonly definitions: ActiveDefinitions;
  readonly clock: Clock;
  readonly logger: Log;
  /** Starts the pipeline, each time anew. */
  readonly start: () => Promise<Pipeline>;
}

/**
 * A pipeline that is at work while the definitions of this process are the active ones. A newer set makes it leave its groups
 * and wait, so two sets never take turns in evaluating a customer; when its own set is active again, it joins them again.
 * Members are none meanwhile. Resolves once it is known whether to work, and the pipeline started if so.
 */
export async function startWhileActive(options: WhileActive): Promise<Pipeline> {
  const { definitions, clock, logger } = options;
  const isOurs = await definitions.claim(clock.now());
  tell(definitions, logger);
  const running = new Switched(options, isOurs ? await options.start() : null);
  return running;
}

class Switched implements Pipeline {
  readonly #options: WhileActive;
  readonly #failure = new Failure();
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #current: Pipeline | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: WhileActive, current: Pipeline | null) {
    this.#options = options;
    this.#run(current);
    this.#watching = this.#watch().catch((error: unknown) => {
      this.#failure.report(error);
    });
  }

  get members(): Pipeline['members'] {
    return this.#current?.members ?? [];
  }

  get logAnswers(): boolean {
    return this.#current?.logAnswers ?? true;
  }

  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #run(pipeline: Pipeline | null): void {
    this.#current = pipeline;
    pipeline?.failed.catch((error: unknown) => {
      this.#failure.report(error);
    });
  }

  async #watch(): Promise<void> {
    const { definitions, logger, start } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await wait(LOOK_EVERY_MS, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const isOurs = await definitions.look();
        if (isOurs === (this.#current !== null)) continue;
        tell(definitions, logger);
        if (isOurs) {
          this.#run(await start());
          continue;
        }
      } catch (error) {
        // Not knowing is no reason to leave, nor to begin: it is asked again, and before each take-over in any case.
        if (!(error instanceof PipelineError) || !error.retriable) throw error;
        logger.warn('the active definitions could not be followed', { code: error.code, error });
        continue;
      }
      // Outside of what is tried again: one that cannot be stopped may be half at work, and only the end of the process ends it.
      await this.#current?.stop();
      this.#current = null;
    }
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.#current?.stop();
  }
}

function tell({ active, hash, isOurs }: ActiveDefinitions, logger: Log): void {
  const fields = { definitions: hash, generation: active?.number, active: active?.hash };
  if (isOurs) logger.info('these definitions are the active ones', fields);
  else logger.warn('other definitions are active: waiting', fields);
}
