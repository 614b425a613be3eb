import { describe, expect, test } from 'vitest';
import { collectionsOf } from '../../processors/runtime/mongo/collections.ts';
import { missingRights, type Privilege } from '../../processors/runtime/mongo/probe.ts';

const USED = collectionsOf(['customer.v1'], ['intake.v1']);
const ALL = ['find', 'insert', 'update', 'createIndex'];
const on = (collection: string, actions: readonly string[], db = 'kizuna'): Privilege => ({
  resource: { db, collection },
  actions,
});

describe('the rights of a process in MongoDB', () => {
  test('are asked for every collection, those of input marks, fold marks and definitions included', () => {
    expect(USED.map(({ name }) => name)).toEqual([
      'customer.v1.journal',
      'customer.v1.state',
      'intake.v1.inputs',
      'fold-marks.v1',
      'definitions.v1',
    ]);
    const exact = USED.map(({ name, indexed }) => on(name, indexed ? ALL : ALL.slice(0, 3)));
    expect(missingRights(exact, 'kizuna', USED)).toEqual([]);
  });

  test('are enough for a whole database, or for everything', () => {
    expect(missingRights([on('', ALL)], 'kizuna', USED)).toEqual([]);
    expect(missingRights([{ resource: { anyResource: true }, actions: ALL }], 'kizuna', USED)).toEqual([]);
    expect(missingRights([on('', ALL, 'other')], 'kizuna', USED)).toEqual(ALL);
  });

  test.each(['intake.v1.inputs', 'fold-marks.v1'])('lack something when %s alone is closed', (closed) => {
    const some = USED.filter(({ name }) => name !== closed).map(({ name }) => on(name, ALL));
    const readable = [...some, on(closed, ['find'])];
    expect(missingRights(readable, 'kizuna', USED)).toEqual([`insert on ${closed}`, `update on ${closed}`]);
  });

  test('of which one is missing everywhere name no collection', () => {
    expect(missingRights([on('', ['find', 'update', 'createIndex'])], 'kizuna', USED)).toEqual(['insert']);
  });
});
