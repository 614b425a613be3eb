import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { REJECT_REASONS, SKIP_REASONS } from '../../processors/core/reasons.ts';
import { README, sectionOf } from './reference-docs.ts';

describe("the README's table of reasons (between <!-- reasons --> and <!-- /reasons -->)", () => {
  const rows = [
    ...(sectionOf(readFileSync(README, 'utf8'), 'reasons') ?? '').matchAll(/^\| *`([a-z_]+)` *\| *(\w+)/gm),
  ];
  const outcomeOf = new Map(rows.map(([, reason, outcome]) => [reason, outcome]));

  test('has one row for each reason and none for another', () => {
    expect(rows.map(([, reason]) => reason).toSorted()).toEqual([...SKIP_REASONS, ...REJECT_REASONS].toSorted());
  });

  test('says in its second column what becomes of the record', () => {
    for (const reason of SKIP_REASONS) expect(outcomeOf.get(reason), reason).toBe('skip');
    for (const reason of REJECT_REASONS) expect(outcomeOf.get(reason), reason).toBe('reject');
  });
});
