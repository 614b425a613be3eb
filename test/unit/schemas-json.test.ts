import { describe, expect, it } from 'vitest';
import { fromJson, toJson } from '../../schemas/json.ts';
import { fullInteraction, interaction } from './schemas-samples.ts';

const SMALLEST = { eventId: 'e1', brandId: 'demo', occurredAt: 5, channel: 'WEB', type: 'SEARCH' };

describe('a record as JSON', () => {
  it('has its fields in the order of the schema, nulls written', () => {
    const shuffled = Object.fromEntries(Object.entries(interaction()).reverse());
    expect(JSON.stringify(toJson('Interaction', shuffled))).toBe(
      '{"eventId":"e1","brandId":"demo","occurredAt":1700000000000,"userId":"u1","anonymousId":null,"emailHash":null,' +
        '"channel":"WEB","type":"PRODUCT_VIEW","touchpoint":null,"campaignId":null,"messageId":null,"sessionId":"s1",' +
        '"pageViewId":null,"product":{"productId":"p1","category":"shoes","priceMinor":12900},"order":null,"score":null,' +
        '"text":null,"language":null,"engagedMs":null,"machineGenerated":false,"experiment":null,"attributes":{}}',
    );
  });

  it('comes back as it was', () => {
    const json: unknown = JSON.parse(JSON.stringify(toJson('Interaction', fullInteraction())));
    expect(fromJson('Interaction', json)).toEqual({ value: fullInteraction() });
  });

  it('keeps an attribute of any name, even one that objects have a meaning for', () => {
    const attributes: unknown = JSON.parse('{"__proto__":"p","constructor":"c","colour":"red"}');
    const read = fromJson('Interaction', { ...SMALLEST, attributes });
    const value = 'value' in read ? read.value : interaction({});
    expect(Object.entries(value.attributes)).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['colour', 'red'],
    ]);
    expect(JSON.stringify(toJson('Interaction', value)['attributes'])).toBe(JSON.stringify(attributes));
  });

  it.each([null, true, 1.5, 'x', ['a', 'b']])('carries what a comparison saw: %j', (value) => {
    const change = {
      brandId: 'demo',
      customerId: 'u:1',
      occurredAt: 5,
      cause: 'TIME',
      definitionsVersion: 'd1',
      changes: [{ segmentId: 's1', change: 'EXITED', evidence: [{ path: 'p', value, comparison: '{}' }] }],
      members: [],
    };
    expect(toJson('SegmentMembershipsChanged', change)).toEqual(change);
    expect(fromJson('SegmentMembershipsChanged', change)).toEqual({ value: change });
  });
});

describe('JSON as a record', () => {
  it('may leave out what has a default or may be null', () => {
    const { order, product, ...rest } = interaction({ occurredAt: 5, type: 'SEARCH', userId: null, sessionId: null });
    expect(order).toBeNull();
    expect(product).not.toBeNull();
    expect(fromJson('Interaction', SMALLEST)).toEqual({ value: { ...rest, order: null, product: null } });
  });

  it.each([
    ['1997-09-30T00:00Z', 875_577_600_000],
    ['1997-09-30T02:00:00.5+02:00', 875_577_600_500],
    ['1997-09-30', 875_577_600_000],
    [-1, -1],
  ])('says a time as %j', (occurredAt, time) => {
    expect(fromJson('Interaction', { ...SMALLEST, occurredAt })).toMatchObject({ value: { occurredAt: time } });
  });

  it('may hold a symbol of a newer version', () => {
    expect(fromJson('Interaction', { ...SMALLEST, type: 'LEVITATED' })).toMatchObject({ value: { type: 'UNKNOWN' } });
  });

  it.each<[object, string]>([
    [{ eventId: undefined }, 'eventId: missing'],
    [{ eventID: 'e' }, 'eventID: no such field in Interaction'],
    [{ eventId: 5 }, 'eventId: expected a string'],
    [{ eventId: null }, 'eventId: expected a string'],
    [{ type: 5 }, 'type: expected a symbol of InteractionType'],
    [{ occurredAt: '1997-09-30T00:00' }, 'occurredAt: expected an ISO 8601 time or milliseconds since the epoch'],
    [{ occurredAt: '1997-13-30' }, 'occurredAt: expected an ISO 8601 time or milliseconds since the epoch'],
    [{ occurredAt: 0.5 }, 'occurredAt: expected an ISO 8601 time or milliseconds since the epoch'],
    [{ engagedMs: 1.5 }, 'engagedMs: expected a whole number below 2^52'],
    [{ engagedMs: 2 ** 52 }, 'engagedMs: expected a whole number below 2^52'],
    [{ engagedMs: '7' }, 'engagedMs: expected a whole number below 2^52'],
    [{ machineGenerated: 1 }, 'machineGenerated: expected true or false'],
    [{ product: { productId: 'p', colour: 'red' } }, 'product.colour: no such field in Product'],
    [{ product: [] }, 'product: expected an object'],
    [{ score: { metric: 'NPS', value: 2 ** 31 } }, 'score.value: expected a whole number of 32 bits'],
    [
      { order: { orderId: 'o', amountMinor: 1, currency: 'EUR', items: [{ productId: 'p', quantity: 1 }] } },
      'order.items[0].priceMinor: missing',
    ],
    [{ order: { orderId: 'o', amountMinor: 1, currency: 'EUR', items: {} } }, 'order.items: expected an array'],
    [{ attributes: { plan: 1 } }, 'attributes.plan: expected a string'],
    [{ attributes: null }, 'attributes: expected an object'],
  ])('is refused with the place: %j', (wrong, fault) => {
    expect(fromJson('Interaction', { ...SMALLEST, ...wrong })).toEqual({ fault });
  });

  it.each([null, 5, 'text', []])('is refused when it is no object: %j', (json) => {
    expect(fromJson('Interaction', json)).toEqual({ fault: 'the record: expected an object' });
  });
});
