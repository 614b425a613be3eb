import type { Interaction, Order } from '../../schemas/types.ts';
import type { Rejected } from '../core/processor.ts';
import { fitsUtf8 } from '../core/text.ts';
import { refusal } from './refusal.ts';

const MOST_ATTRIBUTES = 32;
const ATTRIBUTE_NAME_BYTES = 64;
const ATTRIBUTE_VALUE_BYTES = 1024;
const TEXT_BYTES = 32 * 1024;
const STRING_BYTES = 256;

const TOO_MANY_ATTRIBUTES = refusal('too_many_attributes', `attributes: more than ${MOST_ATTRIBUTES}`);
const tooLong = (field: string, limitBytes: number) => refusal('field_too_long', `${field}: over ${limitBytes} bytes`);
const LONG_NAME = tooLong('name of an attribute', ATTRIBUTE_NAME_BYTES);
const LONG_VALUE = tooLong('value of an attribute', ATTRIBUTE_VALUE_BYTES);
const LONG_TEXT = tooLong('text', TEXT_BYTES);

/** Every string without a limit of its own: how to read it, and the refusal when it is too long. */
const STRINGS = (
  [
    ['touchpoint', (interaction) => interaction.touchpoint],
    ['campaignId', (interaction) => interaction.campaignId],
    ['messageId', (interaction) => interaction.messageId],
    ['sessionId', (interaction) => interaction.sessionId],
    ['pageViewId', (interaction) => interaction.pageViewId],
    ['language', (interaction) => interaction.language],
    ['product.productId', (interaction) => interaction.product?.productId],
    ['product.category', (interaction) => interaction.product?.category],
    ['order.orderId', (interaction) => interaction.order?.orderId],
    ['score.surveyId', (interaction) => interaction.score?.surveyId],
    ['experiment.experimentId', (interaction) => interaction.experiment?.experimentId],
    ['experiment.variant', (interaction) => interaction.experiment?.variant],
  ] satisfies [string, (interaction: Interaction) => string | null | undefined][]
).map(([field, read]) => ({ read, refused: tooLong(field, STRING_BYTES) }));
const LONG_ITEM_PRODUCT = tooLong('order.items.productId', STRING_BYTES);
const LONG_ITEM_CATEGORY = tooLong('order.items.category', STRING_BYTES);

/**
 * What speaks against the size of a record: `too_many_attributes`, then `field_too_long`. Together with the limits on
 * identifiers and order lines these bound a valid record to well under the 1 MiB of the internal topics.
 */
export function refuseSize(interaction: Interaction): Rejected | null {
  const { attributes, text, order } = interaction;
  let entries = 0;
  let refused: Rejected | null = null;
  for (const name in attributes) {
    if (++entries > MOST_ATTRIBUTES) return TOO_MANY_ATTRIBUTES;
    if (!fitsUtf8(name, ATTRIBUTE_NAME_BYTES)) refused ??= LONG_NAME;
    else if (!fitsUtf8(attributes[name] ?? '', ATTRIBUTE_VALUE_BYTES)) refused ??= LONG_VALUE;
  }
  if (refused !== null) return refused;
  for (const string of STRINGS) {
    const value = string.read(interaction);
    if (value !== null && value !== undefined && !fitsUtf8(value, STRING_BYTES)) return string.refused;
  }
  if (text !== null && !fitsUtf8(text, TEXT_BYTES)) return LONG_TEXT;
  return order === null ? null : refuseItems(order);
}

function refuseItems(order: Order): Rejected | null {
  for (const item of order.items) {
    if (!fitsUtf8(item.productId, STRING_BYTES)) return LONG_ITEM_PRODUCT;
    if (item.category !== null && !fitsUtf8(item.category, STRING_BYTES)) return LONG_ITEM_CATEGORY;
  }
  return null;
}
