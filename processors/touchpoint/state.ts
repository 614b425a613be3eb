import { PipelineError } from '../core/errors.ts';
import { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant, type Packing, type Summary } from '../core/processor.ts';
import { splitTouchpointKey } from '../core/touchpoint-key.ts';
import { initialCase, packCase, summarizeCase, unpackCase, type CaseState } from './case-state.ts';
import { packScores, summarizeScores, unpackScores } from './score-packing.ts';
import { initialScores, type ScoreState } from './score-state.ts';

/** What every document of this processor has; the rest is packed behind it. */
export interface Head {
  readonly key: string;
  readonly brandId: string;
  readonly touchpoint: string;
  /** The document's clock. */
  at: Instant;
  due: Instant;
}

/** Answers of a touchpoint on a channel, or the case of one customer at a touchpoint: the key tells which. */
export type TouchpointState = ScoreState | CaseState;

/** 2: texts beside scores. 3: a chart of complaints. Older documents have none. */
const VERSION = 3;
const VERSIONS: readonly number[] = [1, 2, VERSION];
const SCORES = 1;
const CASE = 2;
/** A subject begins so, and no channel does. */
const SUBJECT = /^[uea]:/;

const body = new ByteWriter(4096);

export function initialState(key: string): TouchpointState {
  const { brandId, touchpoint, last } = splitTouchpointKey(key);
  const head: Head = { key, brandId, touchpoint, at: 0, due: NEVER };
  return SUBJECT.test(last) ? initialCase(head, last) : initialScores(head, last);
}

/** Whether there is nothing but a clock: what a command about a case that was made up leaves behind. */
export function isBlank(state: TouchpointState): boolean {
  if (state.kind === 'case') {
    return state.number === 0 && state.contentAt < 0 && state.commands.length === 0 && state.erasedAt < 0;
  }
  return state.publishedAt < 0 && state.recent.size === 0;
}

export const touchpointPacking: Packing<TouchpointState> & { summarize(reader: ByteReader): Summary } = {
  pack(state: TouchpointState, writer: ByteWriter): void {
    writer.byte(VERSION);
    writer.byte(state.kind === 'scores' ? SCORES : CASE);
    writer.string(state.key);
    writer.uint(state.at);
    writer.uint(state.due === NEVER ? 0 : state.due);
    body.reset();
    if (state.kind === 'scores') packScores(state, body);
    else packCase(state, body);
    writer.section(body);
  },

  /** @throws PipelineError `store_unreadable` for a version that is not known */
  unpack(reader: ByteReader): TouchpointState {
    const version = checkVersion(reader);
    reader.byte();
    const state = initialState(reader.string());
    state.at = reader.uint();
    state.due = reader.uint() || NEVER;
    // A copy: the reader's bytes may belong to a whole block, which one touchpoint must not keep alive.
    const bytes = Buffer.from(reader.bytes());
    if (state.kind === 'scores') unpackScores(state, bytes, new ByteReader(bytes), version);
    else unpackCase(state, new ByteReader(bytes));
    return state;
  },

  /** Reads the front of the packed bytes. */
  summarize(reader: ByteReader): Summary {
    checkVersion(reader);
    const isScores = reader.byte() === SCORES;
    const { brandId, touchpoint, last } = splitTouchpointKey(reader.string());
    const at = new Date(reader.uint());
    reader.uint();
    reader.uint();
    const head = { at, brandId, touchpoint };
    return isScores
      ? { ...head, channel: last, ...summarizeScores(reader) }
      : { ...head, customerId: last, ...summarizeCase(reader) };
  },
};

function checkVersion(reader: ByteReader): number {
  const version = reader.byte();
  if (VERSIONS.includes(version)) return version;
  throw new PipelineError(
    'store_unreadable',
    `a touchpoint's state has version ${version}; this program reads versions ${VERSIONS.join(', ')}`,
    { retriable: false },
  );
}
