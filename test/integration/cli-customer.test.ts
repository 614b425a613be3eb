import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { produceInteractions } from '../harness/interactions.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const FIRST_AT = Date.UTC(2026, 2, 2, 9, 30);
const SECOND_AT = Date.UTC(2026, 2, 10, 18, 5);
const SEGMENT = {
  ...{ id: 'second-order', name: 'Two orders in a month', brands: ['*'] },
  where: { 'traits.orders.30d': { $gte: 2 }, 'traits.complaints.30d': 0 },
};

const order = (orderId: string, at: number) => ({
  key: '42',
  timestamp: at,
  value: interaction({
    ...{ eventId: orderId, brandId: 'demo', userId: '42', occurredAt: at, type: 'ORDER_PLACED' },
    order: { orderId, amountMinor: 4200, currency: 'JPY', guest: false, items: [] },
  }),
});

describeWithServices('one stored customer', () => {
  test('is shown and explained, as of any instant after its last change', async () => {
    const definitions = await mkdtemp(join(tmpdir(), 'kizuna-customer-'));
    try {
      await mkdir(join(definitions, 'segments'));
      await writeFile(join(definitions, 'segments', 'second-order.json'), JSON.stringify(SEGMENT));
      await mkdir(join(definitions, 'triggers'));
      await writeFile(join(definitions, 'triggers', 'demo.json'), JSON.stringify({ id: 'demo' }));
      await using place = await pipelinePlace('cli-customer', { time: 'record', partitions: 1, definitions });
      await produceInteractions(place, [order('A-1', FIRST_AT), order('A-2', SECOND_AT)]);
      const type = (line: string) => kizuna(line, place.environment);
      await using running = await place.start();
      const stored = async (): Promise<true | undefined> => {
        const { stdout } = await type('customer show demo u:42 --json');
        return stdout.includes(new Date(SECOND_AT).toISOString()) ? true : undefined;
      };
      await waitUntil('both orders stored', stored, { withinMs: 60_000, failed: running.pipeline.failed });

      const shown = await type('customer show demo 42 --at 2026-03-11T00:00:00Z');
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      expect(shown.stdout).toMatch(/^customer +demo\|u:42$/m);
      expect(shown.stdout).toMatch(/^segments +second-order$/m);
      expect(shown.stdout).toMatch(/^orders +0 +1 +1 +2 +2 +2 +2 +0$/m);

      expect(shown.stdout).toMatch(
        /^win_back +fires 2026-06-08T18:05:00\.000Z if nothing happens, about 2026-03-10T18:05:00\.000Z$/m,
      );
      const lapsed = await type('customer show demo 42 --at 2026-06-08T18:05:00Z --json');
      expect(JSON.parse(lapsed.stdout)).toMatchObject({
        triggers: {
          pending: [],
          standing: [
            { trigger: 'win_back', causeAt: '2026-03-10T18:05:00.000Z' },
            { trigger: 'post_purchase', causeAt: '2026-03-10T18:05:00.000Z' },
          ],
        },
      });

      const told = await type('customer explain demo u:42 --at 2026-03-11T00:00:00Z');
      expect(told.stdout.split('\n')).toEqual([
        'second-order: in, leaves 2026-04-02T00:00:00.000Z if nothing happens',
        '  true  traits.orders.30d      is 2  >= 2  until 2026-04-02T00:00:00.000Z',
        '  true  traits.complaints.30d  is 0  = 0',
        '',
      ]);
      const later = await type('customer explain demo u:42 second-order --at 2026-04-02T00:00:00Z --json');
      expect(JSON.parse(later.stdout)).toMatchObject({
        ...{ key: 'demo|u:42', asOf: '2026-03-10T18:05:00.000Z', at: '2026-04-02T00:00:00.000Z' },
        segments: [{ segmentId: 'second-order', isMember: false, nextFlipAt: null }],
      });

      const history = await type('customer history demo u:42 --at 2026-03-05T00:00:00Z --json');
      const { since, then, changes } = JSON.parse(history.stdout) as { since: string; then: object; changes: object[] };
      expect({ since, then }).toMatchObject({ since: '2026-03-02T09:30:00.000Z', then: { segments: [] } });
      expect(changes).toContainEqual({
        ...{ kind: 'memberships', at: '2026-03-10T18:05:00.000Z', cause: 'EVENT' },
        changes: [{ segmentId: 'second-order', change: 'ENTERED' }],
      });
      const written = await type('customer history demo 42 --at 2026-03-10T18:05:00Z --limit 1');
      expect(written).toMatchObject({ code: 0, stderr: '' });
      expect(written.stdout).toMatch(/^segments +second-order$/m);
      const early = await type('customer history demo 42 --at 2026-03-01T00:00:00Z');
      expect(early.code).toBe(2);
      expect(early.stderr).toMatch(/^--at: is before the history of demo\|u:42 begins, 2026-03-02T09:30:00\.000Z/);

      const past = await type('customer show demo u:42 --at 2026-03-01T00:00:00Z');
      expect(past.code).toBe(2);
      expect(past.stderr).toMatch(/^--at: is before the last change of demo\|u:42, 2026-03-10T18:05:00\.000Z/);
      const nobody = await type('customer show demo 43');
      expect(nobody.code).toBe(1);
      expect(nobody.stderr).toBe('There is no customer demo|u:43, nor demo|e:43, nor demo|a:43.\n');
      const misspelt = await type('customer explain demo 42 second-ordr --at 2026-04-02T00:00:00Z');
      expect(misspelt.code).toBe(2);
      expect(misspelt.stderr).toMatch(/^segment second-ordr: .*did you mean "second-order"\?/);
    } finally {
      await rm(definitions, { recursive: true });
    }
  });
});
