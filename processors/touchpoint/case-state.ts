import { readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant, Summary } from '../core/processor.ts';
import { METRICS } from '../core/surveys.ts';
import { caseIdOf } from '../core/touchpoint-key.ts';
import type { CaseSignal } from '../../schemas/types.ts';
import { CHANNELS } from './channels.ts';
import type { Head } from './state.ts';

/** NONE: there never was a case. In the order in which they are packed. */
const STAGES = ['NONE', 'OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'VERIFIED'] as const;
export type Stage = (typeof STAGES)[number];

/** How many commands a case remembers. */
export const REMEMBERED_COMMANDS = 16;

/** The newest case of one customer at a touchpoint; −1 stands for a time that never was. */
export interface CaseState extends Head {
  readonly kind: 'case';
  readonly subject: string;
  /** Which of the customer's cases here it is, from 1. */
  number: number;
  stage: Stage;
  overdue: boolean;
  /** What opened it or reopened it last. */
  signal: CaseSignal | null;
  openedAt: Instant;
  acknowledgedAt: Instant;
  resolvedAt: Instant;
  verifiedAt: Instant;
  /** When it was opened or last reopened: from here the time to resolve counts. */
  workedSince: Instant;
  /** Until when it is to be resolved. */
  dueAt: Instant;
  reopenings: number;
  /** When the customer last gave an answer here that was not dissatisfied. */
  contentAt: Instant;
  /** The newest commands, newest first. */
  commands: Fingerprint[];
  /** Whatever happened up to then was erased and counts no more. */
  erasedAt: Instant;
}

export function initialCase(head: Head, subject: string): CaseState {
  return {
    ...head,
    kind: 'case',
    subject,
    number: 0,
    stage: 'NONE',
    overdue: false,
    signal: null,
    openedAt: -1,
    acknowledgedAt: -1,
    resolvedAt: -1,
    verifiedAt: -1,
    workedSince: -1,
    dueAt: -1,
    reopenings: 0,
    contentAt: -1,
    commands: [],
    erasedAt: -1,
  };
}

/** Whether nothing is known but that everything was erased. */
export function isErasedCase({ erasedAt, number, contentAt, commands }: CaseState): boolean {
  return erasedAt >= 0 && number === 0 && contentAt < 0 && commands.length === 0;
}

/** The summary's part comes first. */
export function packCase(state: CaseState, writer: ByteWriter): void {
  writer.byte(STAGES.indexOf(state.stage));
  writer.string(state.number === 0 ? '' : caseIdOf(state.key, state.number));
  writer.byte(state.overdue ? 1 : 0);
  writer.uint(state.openedAt + 1);
  writer.uint(state.number);
  for (const time of [state.acknowledgedAt, state.resolvedAt, state.verifiedAt, state.workedSince]) {
    writer.uint(time + 1);
  }
  writer.uint(state.dueAt + 1);
  writer.uint(state.reopenings);
  writer.uint(state.contentAt + 1);
  writer.byte(state.commands.length);
  for (const id of state.commands) writeFingerprint(id, writer);
  packSignal(state.signal, writer);
  // Nothing in most.
  if (state.erasedAt >= 0) writer.uint(state.erasedAt);
}

export function unpackCase(state: CaseState, reader: ByteReader): void {
  state.stage = STAGES[reader.byte()] ?? 'NONE';
  reader.string();
  state.overdue = reader.byte() === 1;
  state.openedAt = reader.uint() - 1;
  state.number = reader.uint();
  state.acknowledgedAt = reader.uint() - 1;
  state.resolvedAt = reader.uint() - 1;
  state.verifiedAt = reader.uint() - 1;
  state.workedSince = reader.uint() - 1;
  state.dueAt = reader.uint() - 1;
  state.reopenings = reader.uint();
  state.contentAt = reader.uint() - 1;
  state.commands = Array.from({ length: reader.byte() }, () => readFingerprint(reader));
  state.signal = unpackSignal(reader);
  state.erasedAt = reader.done ? -1 : reader.uint();
}

export function summarizeCase(reader: ByteReader): Summary {
  const stage = STAGES[reader.byte()] ?? 'NONE';
  const caseId = reader.string();
  const overdue = reader.byte() === 1;
  const openedAt = reader.uint() - 1;
  return stage === 'NONE'
    ? { kind: 'case', caseId: null, state: null, overdue: false, openedAt: null }
    : { kind: 'case', caseId, state: stage, overdue, openedAt: new Date(openedAt) };
}

/** A complaint is packed as metric 0. */
function packSignal(signal: CaseSignal | null, writer: ByteWriter): void {
  writer.byte(signal === null ? 0 : 1);
  if (signal === null) return;
  const { kind, eventId, occurredAt, channel, metric, value } = signal;
  writer.string(eventId);
  writer.uint(occurredAt);
  writer.byte(CHANNELS.indexOf(channel));
  writer.byte(kind === 'SCORE' && metric !== 'UNKNOWN' ? METRICS.indexOf(metric) + 1 : 0);
  writer.int(value);
}

function unpackSignal(reader: ByteReader): CaseSignal | null {
  if (reader.byte() === 0) return null;
  const eventId = reader.string();
  const occurredAt = reader.uint();
  const channel = CHANNELS[reader.byte()] ?? 'UNKNOWN';
  const metric = METRICS[reader.byte() - 1];
  const kind = metric === undefined ? 'COMPLAINT' : 'SCORE';
  return { kind, eventId, occurredAt, channel, metric: metric ?? 'UNKNOWN', value: reader.int() };
}
