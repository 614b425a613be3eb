import type { TriggerChange } from '../../schemas/types.ts';
import { TRIGGERS, type TriggerName } from '../core/definitions.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { GaugeSample } from '../core/processor.ts';

const CHANGES = ['FIRED', 'CANCELLED'] as const satisfies readonly TriggerChange[];

/** A trigger that was fired or cancelled. */
export interface TriggerAddition {
  readonly brandId: string;
  readonly of: 'trigger';
  readonly trigger: TriggerName;
  readonly change: (typeof CHANGES)[number];
}

/** How often each was fired, then how often it was cancelled, by TRIGGERS; empty while none was. */
export type TriggerTotals = number[];

export function addTrigger(totals: TriggerTotals, { trigger, change }: TriggerAddition): void {
  const place = TRIGGERS.indexOf(trigger) * CHANGES.length + CHANGES.indexOf(change);
  while (totals.length <= place) totals.push(0);
  totals[place] = (totals[place] ?? 0) + 1;
}

export function* triggerGauges(brand: string, totals: TriggerTotals): Iterable<GaugeSample> {
  for (const [place, value] of totals.entries()) {
    const trigger = TRIGGERS[Math.floor(place / CHANGES.length)];
    const change = CHANGES[place % CHANGES.length];
    if (value === 0 || trigger === undefined || change === undefined) continue;
    yield { name: 'triggers', labels: { brand, trigger, trigger_change: change }, value };
  }
}

export function packTriggerTotals(totals: TriggerTotals, writer: ByteWriter): void {
  writer.uint(totals.length);
  for (const count of totals) writer.uint(count);
}

export function unpackTriggerTotals(reader: ByteReader): TriggerTotals {
  return Array.from({ length: reader.uint() }, () => reader.uint());
}
