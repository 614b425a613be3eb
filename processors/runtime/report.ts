import type { Processor } from '../core/processor.ts';
import type { PipelinePorts } from './pipeline-ports.ts';
import type { LogRecord } from './ports.ts';
import type { Tally } from './tally.ts';

/**
 * Tells the meter what became of the records of one block or batch, once they are durable. `consumed` counts what went in,
 * independently of the outcomes that came out.
 */
export function reportOutcomes(
  processor: Processor,
  topic: string,
  consumed: number,
  tally: Tally,
  { meter }: PipelinePorts,
): void {
  const { name } = processor;
  meter.consumed(name, consumed);
  if (tally.applied > 0) meter.outcome(name, 'applied', '', tally.applied);
  if (tally.replayed > 0) meter.outcome(name, 'replayed', '', tally.replayed);
  for (const [reason, records] of tally.skipped) meter.outcome(name, 'skipped', reason, records);
  for (const [reason, records] of tally.rejected) {
    meter.outcome(name, 'rejected', reason, records);
    meter.deadLetter(topic, reason, records);
  }
}

export function reportPublished(
  processor: Processor,
  published: readonly { readonly topic: string }[],
  { meter }: PipelinePorts,
): void {
  const byTopic = new Map<string, number>();
  for (const { topic } of published) byTopic.set(topic, (byTopic.get(topic) ?? 0) + 1);
  for (const [topic, records] of byTopic) meter.published(processor.name, topic, records);
}

/** How long ago the last record of a batch was written to the log, and what the newest one tells of happened. */
export function reportLatency(
  processor: Processor,
  last: LogRecord | undefined,
  newest: object | null,
  { meter, clock }: PipelinePorts,
): void {
  if (last === undefined) return;
  const now = clock.now();
  const since = (at: number): number => Math.max(0, now - at) / 1000;
  meter.latency(processor.name, 'pipeline', since(last.timestamp));
  const occurredAt = newest === null ? undefined : processor.occurredAt?.(newest);
  if (occurredAt !== undefined) meter.latency(processor.name, 'end_to_end', since(occurredAt));
}
