import type { Interaction, InteractionType, SentimentLabel, TextSentiment } from '../../schemas/types.ts';
import type { Definitions, FEELINGS } from '../core/definitions.ts';
import { ENGLISH_MODEL, judgeEnglish } from './sentiment-english.ts';
import { readText } from './sentiment-grams.ts';
import { SentimentModel } from './sentiment-model.ts';

const KANA = /[\u3040-\u30ff\uff66-\uff9f]/;
const SUBTAG = /^[a-z]{2,3}(?=$|[-_])/;
const LABELS: Readonly<Record<(typeof FEELINGS)[number], SentimentLabel>> = {
  negative: 'NEGATIVE',
  neutral: 'NEUTRAL',
  positive: 'POSITIVE',
};
const HUNDREDTHS = 100;

/** What customers write of themselves: a message that was sent to them is not, nor what they searched for. */
const WRITTEN: ReadonlySet<InteractionType> = new Set([
  'SURVEY_ANSWERED',
  'REVIEW_POSTED',
  'COMPLAINT',
  'SUPPORT_CONTACTED',
  'SOCIAL_REPLY',
  'SOCIAL_SHARE',
  'SOCIAL_TAG',
  'SOCIAL_COMMENT',
  'SOCIAL_QUESTION',
  'SOCIAL_LIVE',
]);

/** What a customer wrote in an interaction; null for nothing, or for what somebody else wrote. */
export function writtenText({ type, text }: Pick<Interaction, 'type' | 'text'>): string | null {
  return text !== null && text.trim() !== '' && WRITTEN.has(type) ? text : null;
}

/** What tells the feeling of a text. Nothing of the text itself is in the answer. */
export type SentimentReader = (text: string, language: string | null) => TextSentiment;

/**
 * Reads texts: by the model that the definitions have for the language, English without one by wink-sentiment's lexicon. A language
 * that nobody here reads, and a text in which nothing is known, has no evidence, which is not the same as neutral.
 */
export function sentimentReader({ sentiment }: Pick<Definitions, 'sentiment'>): SentimentReader {
  const models = new Map([...sentiment].map(([language, definition]) => [language, new SentimentModel(definition)]));
  return (text, given) => {
    const language = languageOf(text, given);
    const model = language === null ? undefined : models.get(language);
    if (model !== undefined) return byModel(model, text, language);
    return language === 'en' ? byLexicon(text) : withoutEvidence(language, null);
  };
}

/** The primary subtag of the language that was given, null for what is none; else Japanese where there is any kana, else English. */
export function languageOf(text: string, given: string | null): string | null {
  if (given === null || given.trim() === '') return KANA.test(text) ? 'ja' : 'en';
  return SUBTAG.exec(given.trim().toLowerCase())?.[0] ?? null;
}

function byModel(model: SentimentModel, text: string, language: string | null): TextSentiment {
  const evidence = model.evidence(readText(text));
  if (evidence === null) return withoutEvidence(language, model.version);
  const [negative = 0, neutral = 0, positive = 0] = model.probabilities(evidence);
  const most = Math.max(negative, neutral, positive);
  const feeling = most === neutral ? 'neutral' : most === positive ? 'positive' : 'negative';
  const score = inHundredths(positive - negative);
  const coverage = inHundredths(evidence.coverage);
  return { score, label: LABELS[feeling], coverage, language, model: model.version };
}

function byLexicon(text: string): TextSentiment {
  const { score: exact, coverage } = judgeEnglish(text);
  if (exact === null) return withoutEvidence('en', ENGLISH_MODEL);
  const score = inHundredths(exact);
  const feeling = score > 0 ? 'positive' : score < 0 ? 'negative' : 'neutral';
  return { score, label: LABELS[feeling], coverage: inHundredths(coverage), language: 'en', model: ENGLISH_MODEL };
}

function withoutEvidence(language: string | null, model: string | null): TextSentiment {
  return { score: null, label: 'NO_EVIDENCE', coverage: 0, language, model };
}

/** Sums of hundredths are exact, and a text is not known better than that. Never −0. */
function inHundredths(value: number): number {
  return Math.round(value * HUNDREDTHS) / HUNDREDTHS + 0;
}
