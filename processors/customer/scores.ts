import type { ScoreTraits } from '../../schemas/types.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { writtenText, type SentimentReader } from '../sentiment/sentiment.ts';
import type { OpenState } from './open-state.ts';
import type { OpenParts, Part } from './parts.ts';
import type { FoldedInteraction } from './read-fields.ts';

/** What the last answer is known of: the order is part of the packed state, so names are only ever added at the end. */
export const SCORES = ['nps', 'csat', 'ces', 'sentiment'] as const;
export type ScoreName = (typeof SCORES)[number];

/** The last answer by when it was given; of two at the same millisecond the greater. A sentiment is in hundredths. */
export interface LastScore {
  readonly at: Instant;
  readonly value: number;
}

/** By place in SCORES. */
export type LastScores = (LastScore | null)[];

const SENTIMENT = SCORES.indexOf('sentiment');
const HUNDREDTHS = 100;
/** A rating is of a product, not of the brand: there is no last one of it. */
const PLACES: Readonly<Partial<Record<string, number>>> = { NPS: 0, CSAT: 1, CES: 2 };

/**
 * Takes in an answer, and what a text tells, when it is read at all: a text without evidence tells nothing, which is not neutral.
 * Answers a bit for each score that has another value now.
 */
export function foldScores(
  parts: OpenParts,
  interaction: FoldedInteraction,
  at: Instant,
  readSentiment: SentimentReader | null,
): number {
  if (interaction.machineGenerated) return 0;
  const { type, score, text, language = null } = interaction;
  const isAnswer = score !== null && (type === 'SURVEY_ANSWERED' || type === 'REVIEW_POSTED');
  const place = isAnswer ? PLACES[score.metric] : undefined;
  const written = readSentiment === null || text === undefined ? null : writtenText({ type, text });
  if (place === undefined && written === null) return 0;
  const sentiment = written === null || readSentiment === null ? null : readSentiment(written, language).score;
  const scores = parts.get(LAST_SCORES);
  let moved = 0;
  if (place !== undefined && score !== null && put(scores, place, { at, value: score.value })) moved |= 1 << place;
  if (sentiment !== null && put(scores, SENTIMENT, { at, value: Math.round(sentiment * HUNDREDTHS) })) {
    moved |= 1 << SENTIMENT;
  }
  parts.put(LAST_SCORES, scores);
  return moved;
}

/** A sentiment that nobody asks for any more is forgotten. */
export function reviewScores(parts: OpenParts, readSentiment: SentimentReader | null): void {
  if (readSentiment !== null || !parts.has(LAST_SCORES)) return;
  const scores = parts.get(LAST_SCORES);
  scores[SENTIMENT] = null;
  parts.put(LAST_SCORES, scores);
}

export function scoreValue({ parts }: OpenState, name: ScoreName): number | undefined {
  if (!parts.has(LAST_SCORES)) return undefined;
  const place = SCORES.indexOf(name);
  const last = parts.get(LAST_SCORES)[place] ?? null;
  return last === null ? undefined : shown(place, last);
}

/** The last answers there are. */
export function scoreTraits({ parts }: OpenState): ScoreTraits[] {
  if (!parts.has(LAST_SCORES)) return NONE;
  return parts.get(LAST_SCORES).flatMap((last, place): ScoreTraits[] => {
    if (last === null) return [];
    return [{ score: SCORES[place] ?? '', value: shown(place, last), answeredAt: last.at }];
  });
}

const NONE: ScoreTraits[] = [];

export const LAST_SCORES: Part<LastScores> & { merge(into: LastScores, from: LastScores): void } = {
  id: 72,
  initial: () => SCORES.map(() => null),
  nextDue: () => NEVER,

  write(scores, writer) {
    if (scores.every((last) => last === null)) return;
    let known = 0;
    for (const [place, last] of scores.entries()) if (last !== null) known |= 1 << place;
    writer.uint(known);
    for (const last of scores) {
      if (last === null) continue;
      writer.uint(last.at);
      writer.int(last.value);
    }
  },

  read(reader) {
    const known = reader.uint();
    return SCORES.map((_, place) =>
      ((known >>> place) & 1) === 0 ? null : { at: reader.uint(), value: reader.int() },
    );
  },

  /** The later answer of both. */
  merge(into, from) {
    for (const [place, last] of from.entries()) if (last !== null) put(into, place, last);
  },
};

/** Answers whether the value is another one. */
function put(scores: LastScores, place: number, given: LastScore): boolean {
  const before = scores[place] ?? null;
  if (before !== null && (given.at < before.at || (given.at === before.at && given.value <= before.value)))
    return false;
  scores[place] = given;
  return before?.value !== given.value;
}

function shown(place: number, { value }: LastScore): number {
  return place === SENTIMENT ? value / HUNDREDTHS : value;
}
