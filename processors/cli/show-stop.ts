import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { Pipeline } from '../runtime/pipeline.ts';
import type { Meter } from '../runtime/meter.ts';
import type { Log } from '../runtime/ports.ts';

export interface StopOptions {
  readonly pipeline: Pick<Pipeline, 'stop'>;
  readonly meter: Pick<Meter, 'stopped'>;
  readonly logger: Log;
  readonly visibleMs: number;
  /** Resolves when somebody wants the process to end now. */
  readonly cut: Promise<unknown>;
}

/**
 * Lets a stop be seen that starting again cannot mend: folds nothing any more and stays for `visibleMs`, unready and with
 * `kizuna_stopped` on /metrics, since a process that is gone can be alerted on but cannot say why. Any other failure is
 * better met by a new process, at once.
 */
export async function showStop(error: unknown, options: StopOptions): Promise<void> {
  if (!(error instanceof PipelineError) || error.retriable) return;
  const { pipeline, meter, logger, visibleMs, cut } = options;
  meter.stopped(error.code);
  logger.error('stopped for good', { code: error.code, visibleMs, error });
  const seen = new AbortController();
  const visible = wait(visibleMs, undefined, { signal: seen.signal });
  // Cut short, it rejects when nobody waits for it any more.
  visible.catch(() => undefined);
  // Whoever disposes of the pipeline awaits the same stop, and learns of its failure.
  pipeline.stop().catch(() => undefined);
  await Promise.race([visible, cut]);
  seen.abort();
}
