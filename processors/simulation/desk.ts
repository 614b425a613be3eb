import type { CaseChanged, Command } from '../../schemas/types.ts';
import { fingerprint } from '../core/fingerprint.ts';
import type { Instant } from '../core/processor.ts';
import { Random } from './random.ts';
import { HOUR_MS } from './rhythm.ts';
import { TimeHeap } from './time-heap.ts';

/** A command that somebody at the desk gives at `timestamp`. */
export interface DeskRecord {
  readonly timestamp: Instant;
  readonly key: string;
  readonly value: Command;
}

const AGENTS = ['aiko', 'daichi', 'mei', 'ren'];
/** What nobody deals with stays open. */
const DEALT_WITH = 0.85;
const SEEN_WITHIN_MS = 8 * HOUR_MS;
/** On average, so that some are overdue before they are resolved. */
const RESOLVED_AFTER_MS = 30 * HOUR_MS;

/**
 * Those who work on the shop's cases: they hear of a case from the pipeline as any system of a brand would, acknowledge most of
 * them within hours and resolve them within days. What is done about a case is a function of the seed, the case and when it
 * was opened, so a case that is heard of twice gets the same commands twice.
 */
export class CaseDesk {
  readonly #seed: number;
  readonly #plans = new TimeHeap<DeskRecord>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  hear({ brandId, caseId, customerId, change, occurredAt, reopenings }: CaseChanged): void {
    if (change !== 'OPENED' && change !== 'REOPENED') return;
    const work = fingerprint(`${caseId}|${reopenings}`);
    const random = new Random(this.#seed, work | 0);
    if (!random.chance(DEALT_WITH)) return;
    const issuedBy = random.pick(AGENTS);
    const plan = (kind: Command['kind'], at: Instant): void => {
      const commandId = `desk-${kind}-${work.toString(36)}`.toLowerCase();
      const value: Command = {
        ...{ commandId, brandId, kind, issuedAt: at, issuedBy },
        ...{ subject: customerId, target: caseId, reason: null },
      };
      this.#plans.push(at, { timestamp: at, key: `${brandId}|${customerId}`, value });
    };
    const seenAt = Math.floor(occurredAt + random.between(0.1, 1) * SEEN_WITHIN_MS);
    plan('CASE_ACKNOWLEDGE', seenAt);
    plan('CASE_RESOLVE', Math.floor(seenAt + random.exponential(RESOLVED_AFTER_MS)) + 1);
  }

  /** What is done up to an instant, inclusive, in the order of time; each command once. */
  commandsUntil(until: Instant): DeskRecord[] {
    const commands: DeskRecord[] = [];
    while (this.#plans.firstAt <= until) {
      const plan = this.#plans.pop();
      if (plan !== undefined) commands.push(plan.item);
    }
    return commands;
  }
}
