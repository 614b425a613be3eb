import type { Channel, Interaction, InteractionType } from '../../schemas/types.ts';
import { INTERACTION_TYPES } from '../core/interaction-types.ts';
import type { ReadFields } from '../core/processor.ts';
import { suggestion } from '../core/nearest-name.ts';
import type { FeatureValue } from './features.ts';
import type { FoldedInteraction } from './read-fields.ts';
import type { Domain, RulePath } from './rule-paths.ts';

/** A field of an event that filters and values of measures may name. A field that is null is missing. */
export interface EventField {
  readonly path: string;
  readonly domain: Domain;
  /** What has to be decoded of an interaction. */
  readonly reads: ReadFields;
  read(interaction: FoldedInteraction): FeatureValue;
}

const ANY = { min: -Infinity, max: Infinity, texts: null } as const;
const TEXT: Domain = { ...ANY, type: 'text', optional: true };
const WHOLE: Domain = { ...ANY, type: 'integer', optional: true };
const NOT_NEGATIVE: Domain = { ...WHOLE, min: 0 };

const CHANNELS: Readonly<Record<Channel, true>> = {
  UNKNOWN: true,
  WEB: true,
  APP: true,
  EMAIL: true,
  SMS: true,
  WEB_PUSH: true,
  APP_PUSH: true,
  RCS: true,
  WHATSAPP: true,
  LINE: true,
  SOCIAL: true,
  STORE: true,
  CALL_CENTER: true,
  CHAT: true,
  SURVEY: true,
  REVIEW: true,
  LOYALTY: true,
  STORY: true,
};

/** Every channel, UNKNOWN included. */
export const CHANNEL_NAMES: readonly string[] = Object.keys(CHANNELS);

/** Every type that is folded. */
export const FOLDED_TYPES: readonly InteractionType[] = INTERACTION_TYPES.filter((type) => type !== 'UNKNOWN');

const FIELDS: ReadonlyMap<string, EventField> = new Map(
  [
    field('type', { ...TEXT, texts: FOLDED_TYPES, optional: false }, ({ type }) => type),
    field('channel', { ...TEXT, texts: CHANNEL_NAMES, optional: false }, ({ channel }) => channel),
    field('touchpoint', TEXT, ({ touchpoint }) => touchpoint),
    field('campaignId', TEXT, ({ campaignId }) => campaignId),
    field('messageId', TEXT, ({ messageId }) => messageId),
    field('sessionId', TEXT, ({ sessionId }) => sessionId),
    field('language', TEXT, ({ language }) => language),
    field('engagedMs', NOT_NEGATIVE, ({ engagedMs }) => engagedMs),
    field('machineGenerated', { ...TEXT, type: 'boolean', optional: false }, (each) => each.machineGenerated),
    field('product.productId', TEXT, ({ product }) => product?.productId),
    field('product.category', TEXT, ({ product }) => product?.category),
    field('product.priceMinor', WHOLE, ({ product }) => product?.priceMinor),
    field('order.orderId', TEXT, ({ order }) => order?.orderId),
    field('order.amountMinor', NOT_NEGATIVE, ({ order }) => order?.amountMinor),
    field('order.currency', TEXT, ({ order }) => order?.currency),
    field('score.value', WHOLE, ({ score }) => score?.value),
    field('score.surveyId', TEXT, ({ score }) => score?.surveyId),
    field('experiment.experimentId', TEXT, ({ experiment }) => experiment?.experimentId),
    field('experiment.variant', TEXT, ({ experiment }) => experiment?.variant),
  ].map((each) => [each.path, each]),
);

/** The field at a path, or what is wrong with it. */
export function eventField(path: string): EventField | string {
  const known = FIELDS.get(path);
  if (known !== undefined) return known;
  const [head, name = '', ...rest] = path.split('.');
  if (head === 'attributes' && rest.length === 0 && name !== '' && !name.startsWith('$')) {
    return { path, domain: TEXT, reads: { attributes: true }, read: ({ attributes }) => attributes[name] };
  }
  return `unknown field of an event "${path}"${suggestion(path, [...FIELDS.keys(), 'attributes.<name>'])}`;
}

/** The same as a path of a filter. */
export function eventPath(path: string): RulePath | string {
  const found = eventField(path);
  return typeof found === 'string' ? found : { path, feature: null, domain: found.domain };
}

function field(
  path: string,
  domain: Domain,
  read: (interaction: FoldedInteraction) => FeatureValue | null,
): EventField {
  const [head = '', below] = path.split('.');
  const reads: ReadFields = { [head]: below === undefined ? true : { [below]: true } };
  return { path, domain, reads, read: (interaction) => read(interaction) ?? undefined };
}

/** Fields of an interaction that only definitions may ask for. */
export type AskedFields = Pick<
  Interaction,
  'channel' | 'touchpoint' | 'campaignId' | 'messageId' | 'sessionId' | 'language' | 'text' | 'engagedMs'
> & {
  readonly product: Partial<NonNullable<Interaction['product']>> | null;
  readonly order: Partial<Pick<NonNullable<Interaction['order']>, 'items'>> | null;
  readonly score: Partial<NonNullable<Interaction['score']>> | null;
  readonly experiment: Partial<NonNullable<Interaction['experiment']>> | null;
};
