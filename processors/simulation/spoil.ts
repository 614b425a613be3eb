import type { Interaction } from '../../schemas/types.ts';
import { DAY_MS } from './rhythm.ts';
import type { Random } from './random.ts';

/** Rubbish in place of an event: bytes that are no event, or an event that breaks a rule. */
export type Spoilt = { readonly value: Interaction } | { readonly bytes: Buffer | null };

/** A Confluent frame with a schema id that no registry has given out. */
const UNKNOWN_SCHEMA_FRAME = Buffer.from([0, 0x7f, 0xff, 0xff, 0xf0, 1, 2, 3]);

const breakValue =
  (breaks: (interaction: Interaction, random: Random) => Partial<Interaction>) =>
  (interaction: Interaction, random: Random): Spoilt => ({
    value: { ...interaction, ...breaks(interaction, random) },
  });

/** An order that stands on its own: `changes` say what is wrong with it. */
const orderOf = (interaction: Interaction, changes: object) => ({
  orderId: `stray-${interaction.eventId}`,
  amountMinor: 1280,
  currency: 'JPY',
  guest: false,
  items: [],
  ...changes,
});

type Spoiler = (interaction: Interaction, random: Random) => Spoilt;

/** What goes wrong out there, and how often. */
const SPOILERS: readonly (readonly [Spoiler, number])[] = [
  // A program that posts JSON, a record cut off in its middle, a schema nobody knows, a tombstone.
  [(interaction) => ({ bytes: Buffer.from(JSON.stringify({ event: interaction.type, v: 1 })) }), 6],
  [(_, random) => ({ bytes: Buffer.from([0, 0, 0, 0, random.below(256)].slice(0, 1 + random.below(5))) }), 5],
  [() => ({ bytes: UNKNOWN_SCHEMA_FRAME }), 4],
  [() => ({ bytes: null }), 4],
  [breakValue(() => ({ brandId: 'Demo Shop' })), 4],
  [breakValue(() => ({ eventId: '' })), 4],
  [breakValue(() => ({ userId: 'user\u0000id' })), 3],
  [breakValue(() => ({ userId: null, emailHash: 'someone at example.com' })), 3],
  [
    breakValue((_, random) => ({
      userId: random.pick(['null', 'guest', '0', 'undefined']),
      emailHash: null,
      anonymousId: null,
    })),
    9,
  ],
  [breakValue(({ occurredAt }, random) => ({ occurredAt: occurredAt + random.pick([1, 30, 365]) * DAY_MS })), 9],
  [breakValue(() => ({ type: 'ORDER_PLACED', order: null })), 7],
  [breakValue((interaction) => ({ type: 'ORDER_PLACED', order: orderOf(interaction, { currency: 'YEN' }) })), 4],
  [breakValue((interaction) => ({ type: 'ORDER_PLACED', order: orderOf(interaction, { amountMinor: -1280 }) })), 3],
  [breakValue(() => ({ type: 'SURVEY_ANSWERED', score: null })), 5],
  [breakValue(() => ({ type: 'SURVEY_ANSWERED', score: { metric: 'NPS', value: 11, surveyId: null } })), 5],
  [breakValue((_, random) => ({ attributes: manyAttributes(33 + random.below(8)) })), 3],
  [breakValue(() => ({ touchpoint: `search?q=${'tea+'.repeat(80)}` })), 4],
  // These are understood, and rightly change nothing.
  [breakValue(() => ({ type: 'UNKNOWN' })), 6],
  [breakValue(({ occurredAt }) => ({ occurredAt: occurredAt - 400 * DAY_MS })), 5],
];

function manyAttributes(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`field_${index}`, 'x']));
}

/** Rubbish that resembles `interaction`, which must have an event id of its own. A spoilt order is one that is placed twice. */
export function spoil(interaction: Interaction, random: Random): Spoilt {
  if (interaction.type === 'ORDER_PLACED') return { value: interaction };
  return random.weighted(SPOILERS)(interaction, random);
}
