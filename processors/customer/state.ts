import { PipelineError } from '../core/errors.ts';
import { ByteReader, type ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant, type Packing, type Summary } from '../core/processor.ts';
import { RINGS } from '../core/window.ts';
import { churnBand } from './churn-risk.ts';
import { lastInteractionOf } from './open-state.ts';
import { hasIdentity, IDENTITY, isBlankSinceErasure } from './identity.ts';
import { journeyOf } from './journey.ts';
import { LOYALTY } from './loyalty.ts';
import { upgradedBody, upgradedParts } from './older-states.ts';
import { NO_PARTS, OpenParts } from './parts.ts';
import { NO_SEGMENTS, readSegmentList, type SegmentList } from './segment-list.ts';
import { NOTHING_TOLD } from './told-units.ts';

/** What is kept of one customer. The body stays packed until an event or a deadline needs it (open-state.ts). */
export interface CustomerState {
  readonly key: string;
  readonly brandId: string;
  readonly subject: string;
  /** The document's clock. */
  at: Instant;
  due: Instant;
  /** Which definitions the customer was last evaluated under (plan.ts); 0: never evaluated. */
  rules: number;
  /** An event changed the customer but could publish nothing: evaluation is due at once. */
  mustEvaluate: boolean;
  /** … and it was an order, which always publishes its churn risk. */
  mustPublishChurn: boolean;
  /** Traits changed less than a minute after they were published. */
  mustPublishTraits: boolean;
  /** The churn probability last published; −1: none. */
  churn: number;
  churnDue: Instant;
  /** When traits were last published; −1: never. */
  traitsAt: Instant;
  /** When the first watched ratio flips by itself. */
  ratioDue: Instant;
  segments: SegmentList;
  body: Buffer;
  /** What only some customers have (parts.ts). */
  parts: Buffer;
  /** What experiments were last told of the customer (told-units.ts); empty: nothing. */
  told: Buffer;
}

/** Version 1 had no parts and a byte for the flags, where every flag was below 256; up to version 2, see older-states.ts. */
const VERSION = 3;
const RATIO_STEP_MS = RINGS[0].hopMs;

const HAS_DUE = 1;
const HAS_CHURN = 2;
const HAS_TRAITS = 4;
const HAS_RATIO_DUE = 8;
const MUST_EVALUATE = 16;
const MUST_PUBLISH_CHURN = 32;
const MUST_PUBLISH_TRAITS = 64;
const HAS_CHURN_DUE = 128;
const HAS_PARTS = 256;
const HAS_TOLD = 512;

// Room to read in, for summaries.
const bodyReader = new ByteReader(Buffer.alloc(0));
const summarized = new OpenParts();
const NO_JOURNEY = { stage: null, lifecycle: null };

// One text a brand instead of one a customer: a look at it finds the brand's rules without comparing letters.
const brandIds = new Map<string, string>();
const BRAND_IDS_MAX = 10_000;

function brandIdOf(key: string, bar: number): string {
  const own = key.slice(0, bar);
  const known = brandIds.get(own);
  if (known !== undefined) return known;
  if (brandIds.size >= BRAND_IDS_MAX) brandIds.clear();
  brandIds.set(own, own);
  return own;
}

export function initialState(key: string): CustomerState {
  const bar = key.indexOf('|');
  return {
    key,
    brandId: brandIdOf(key, bar),
    subject: key.slice(bar + 1),
    at: 0,
    due: NEVER,
    rules: 0,
    mustEvaluate: false,
    mustPublishChurn: false,
    mustPublishTraits: false,
    churn: -1,
    churnDue: NEVER,
    traitsAt: -1,
    ratioDue: NEVER,
    segments: NO_SEGMENTS,
    body: Buffer.alloc(0),
    parts: NO_PARTS,
    told: NOTHING_TOLD,
  };
}

export const customerPacking: Packing<CustomerState> & { summarize(reader: ByteReader): Summary } = {
  pack(state: CustomerState, writer: ByteWriter): void {
    writer.byte(VERSION);
    writer.string(state.key);
    writer.uint(state.at);
    writer.uint(flagsOf(state));
    if (state.churn >= 0) writer.double(state.churn);
    writer.bytes(state.segments.packed);
    writer.uint(state.rules);
    if (state.due !== NEVER) writer.int(state.due - state.at);
    if (state.churnDue !== NEVER) writer.int(state.churnDue - state.at);
    if (state.traitsAt >= 0) writer.uint(state.at - state.traitsAt);
    if (state.ratioDue !== NEVER) writer.uint(state.ratioDue / RATIO_STEP_MS);
    writer.bytes(state.body);
    if (state.parts.length > 0) writer.bytes(state.parts);
    if (state.told.length > 0) writer.bytes(state.told);
  },

  /** @throws PipelineError `store_unreadable` for a version that is not known */
  unpack(reader: ByteReader): CustomerState {
    const version = readVersion(reader);
    const state = initialState(reader.string());
    state.at = reader.uint();
    const flags = version === 1 ? reader.byte() : reader.uint();
    state.mustEvaluate = (flags & MUST_EVALUATE) !== 0;
    state.mustPublishChurn = (flags & MUST_PUBLISH_CHURN) !== 0;
    state.mustPublishTraits = (flags & MUST_PUBLISH_TRAITS) !== 0;
    if ((flags & HAS_CHURN) !== 0) state.churn = reader.double();
    state.segments = readSegmentList(reader);
    state.rules = reader.uint();
    if ((flags & HAS_DUE) !== 0) state.due = state.at + reader.int();
    if ((flags & HAS_CHURN_DUE) !== 0) state.churnDue = state.at + reader.int();
    if ((flags & HAS_TRAITS) !== 0) state.traitsAt = state.at - reader.uint();
    if ((flags & HAS_RATIO_DUE) !== 0) state.ratioDue = reader.uint() * RATIO_STEP_MS;
    // A copy: the reader's bytes may belong to a whole block, which one customer must not keep alive.
    const body = reader.bytes();
    state.body = version < VERSION ? upgradedBody(body) : Buffer.from(body);
    if ((flags & HAS_PARTS) !== 0) {
      const parts = reader.bytes();
      state.parts = version < VERSION ? upgradedParts(parts) : Buffer.from(parts);
    }
    if ((flags & HAS_TOLD) !== 0) state.told = Buffer.from(reader.bytes());
    return state;
  },

  /** Reads the front of the packed bytes. */
  summarize(reader: ByteReader): Summary {
    const version = readVersion(reader);
    reader.string();
    const at = new Date(reader.uint());
    const flags = version === 1 ? reader.byte() : reader.uint();
    const churn = (flags & HAS_CHURN) === 0 ? null : churnSummary(reader.double());
    const segments = readSegmentList(reader).ids;
    const revision = reader.uint();
    if ((flags & HAS_DUE) !== 0) reader.int();
    if ((flags & HAS_CHURN_DUE) !== 0) reader.int();
    if ((flags & HAS_TRAITS) !== 0) reader.uint();
    if ((flags & HAS_RATIO_DUE) !== 0) reader.uint();
    const packed = reader.bytes();
    const body = version < VERSION ? upgradedBody(packed) : packed;
    const lastSeenAt = body.length === 0 ? -1 : lastInteractionOf(bodyReader.reset(body));
    const parts = (flags & HAS_PARTS) === 0 ? NO_PARTS : reader.bytes();
    summarized.open(version < VERSION ? upgradedParts(parts) : parts);
    const { stage, lifecycle } = journeyOf(summarized) ?? NO_JOURNEY;
    const { tier } = summarized.get(LOYALTY);
    if (body.length === 0 && hasIdentity(parts) && isBlankSinceErasure(summarized.get(IDENTITY))) {
      return { at, erased: true, revision };
    }
    const seen = lastSeenAt < 0 ? null : new Date(lastSeenAt);
    return { at, churn, segments, stage, lifecycle, tier, lastSeenAt: seen, revision };
  },
};

function churnSummary(probability: number): Summary {
  return { probability, band: churnBand(probability) };
}

function readVersion(reader: ByteReader): number {
  const version = reader.byte();
  if (version >= 1 && version <= VERSION) return version;
  throw new PipelineError(
    'store_unreadable',
    `a customer's state has version ${version}; this program reads versions 1 to ${VERSION}`,
    {
      retriable: false,
    },
  );
}

function flagsOf(state: CustomerState): number {
  return (
    (state.due === NEVER ? 0 : HAS_DUE) |
    (state.churn < 0 ? 0 : HAS_CHURN) |
    (state.traitsAt < 0 ? 0 : HAS_TRAITS) |
    (state.ratioDue === NEVER ? 0 : HAS_RATIO_DUE) |
    (state.mustEvaluate ? MUST_EVALUATE : 0) |
    (state.mustPublishChurn ? MUST_PUBLISH_CHURN : 0) |
    (state.mustPublishTraits ? MUST_PUBLISH_TRAITS : 0) |
    (state.churnDue === NEVER ? 0 : HAS_CHURN_DUE) |
    (state.parts.length === 0 ? 0 : HAS_PARTS) |
    (state.told.length === 0 ? 0 : HAS_TOLD)
  );
}
