import { KEEP_FOR_EVER } from '../../topics/catalog.ts';
import type { Instant } from '../core/processor.ts';
import { isAbandoned, type Receipt } from '../runtime/dead-letter-receipts.ts';
import type { OutgoingRecord } from '../runtime/ports.ts';
import { redrivenRecord, type Letter } from './dlq-letter.ts';

/** Which time a redriven record carries: that of the refused record, or that of the redrive. */
export type RedriveTime = 'original' | 'now';

export interface RedriveRules {
  readonly now: Instant;
  readonly time: RedriveTime;
  /** Also letters that were redriven REDRIVES_MAX times in vain. */
  readonly force: boolean;
  /** Also letters that were redriven or discarded before. */
  readonly again: boolean;
  /** How long a topic keeps a record, counted from the record's time; -1 for ever. */
  retentionMs(topic: string): number;
}

/** Why a letter stays where it is. */
export type Refused = 'foreign' | 'incomplete' | 'claimed' | 'looping' | 'still_in_the_future' | 'beyond_retention';

export type Verdict =
  | { readonly kind: 'redrive'; readonly record: OutgoingRecord }
  | { readonly kind: 'refuse'; readonly why: Refused }
  | { readonly kind: 'done' };

/** So often a record comes back before somebody must look at it. */
export const REDRIVES_MAX = 3;

/** What comes so close to its retention may be gone before it is read. */
const RETENTION_MARGIN_MS = 24 * 60 * 60 * 1000;

export const REFUSED_MEANING: Readonly<Record<Refused, string>> = {
  foreign: 'not written by a processor: it does not say where it came from',
  incomplete: 'its key or value was too large for a letter: the record itself stands in its topic, until retention',
  claimed: 'another run is at it, or broke off less than two minutes ago: try again then',
  looping: `redriven ${REDRIVES_MAX} times in vain: find out why; --force sends it once more`,
  still_in_the_future:
    'its own time has not changed, so it would be refused again: --time now, once the moment has come',
  beyond_retention: 'older than its topic keeps records: --time now, or a longer retention',
};

/** What a redrive makes of one letter. Total and pure. */
export function judgeRedrive(letter: Letter, receipt: Receipt | undefined, rules: RedriveRules): Verdict {
  const { origin, reason, redrives } = letter;
  if (isDone(receipt, rules.again)) return { kind: 'done' };
  if (origin === null) return refuse('foreign');
  // Without them it would be another record; headers do not change what is folded.
  if (letter.truncated.includes('key') || letter.truncated.includes('value')) return refuse('incomplete');
  if (isClaimed(receipt, rules.now)) return refuse('claimed');
  if (redrives >= REDRIVES_MAX && !rules.force) return refuse('looping');
  if (rules.time === 'now') return { kind: 'redrive', record: redrivenRecord(letter, origin, rules.now) };
  // A comparison of two times that both stay the same.
  if (reason === 'future_timestamp') return refuse('still_in_the_future');
  if (isBeyond(rules.retentionMs(origin.topic), rules.now - origin.timestamp)) return refuse('beyond_retention');
  return { kind: 'redrive', record: redrivenRecord(letter, origin, origin.timestamp) };
}

/** What a discard makes of one letter: null when it takes it. */
export function judgeDiscard(receipt: Receipt | undefined, now: Instant): 'done' | 'claimed' | null {
  if (isDone(receipt, false)) return 'done';
  return isClaimed(receipt, now) ? 'claimed' : null;
}

/** Whether a list shows the letter without --all: nothing was done with it yet, or nobody knows. */
export function isOpen(receipt: Receipt | undefined): boolean {
  return receipt === undefined || receipt.status === 'redriving';
}

function isDone(receipt: Receipt | undefined, again: boolean): boolean {
  return !isOpen(receipt) && !again;
}

function isClaimed(receipt: Receipt | undefined, now: Instant): boolean {
  return receipt?.status === 'redriving' && !isAbandoned(receipt, now);
}

function isBeyond(retentionMs: number, ageMs: number): boolean {
  if (retentionMs === KEEP_FOR_EVER) return false;
  return ageMs > retentionMs - Math.min(RETENTION_MARGIN_MS, retentionMs / 2);
}

const refuse = (why: Refused): Verdict => ({ kind: 'refuse', why });
