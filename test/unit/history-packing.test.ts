import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  appendChange,
  unpackChanges,
  type MembershipsChange,
  type PackedChanges,
} from '../../processors/customer/history-packing.ts';

// Ends that fall together, one letter, and ids whose length takes two bytes.
const segmentId = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((number) => `segment-${number}`),
  fc.constantFrom('a', 'b', 'ab', 'xab', 'é', '顧客', `${'long-'.repeat(30)}1`, `${'long-'.repeat(30)}2`),
);
const flips = fc.uniqueArray(fc.record({ segmentId, change: fc.constantFrom('ENTERED' as const, 'EXITED' as const) }), {
  selector: (flip) => flip.segmentId,
  minLength: 1,
  maxLength: 12,
});

test('segments are remembered by their names, however many change at once and in whatever order they come', () => {
  fc.assert(
    fc.property(fc.array(flips, { minLength: 1, maxLength: 15 }), (all) => {
      const packed: PackedChanges = { lastAt: 0, count: 0, names: Buffer.alloc(0), changes: Buffer.alloc(0) };
      const changes = all.map((each, index): MembershipsChange => ({
        kind: 'memberships',
        at: (index + 1) * 1000,
        cause: 'EVENT',
        changes: each,
      }));
      for (const change of changes) appendChange(packed, change);
      expect(unpackChanges(packed, 0)).toEqual(changes);
      // Each name once, with its length before it.
      const ids = new Set(all.flat().map((flip) => flip.segmentId));
      const lengths = [...ids].map((id) => Buffer.byteLength(id)).map((bytes) => bytes + (bytes < 128 ? 1 : 2));
      expect(packed.names.length).toBe(lengths.reduce((sum, bytes) => sum + bytes, 0));
    }),
  );
});
