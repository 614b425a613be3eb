import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { produceInteractions } from '../harness/interactions.ts';
import { pipelinePlace } from '../harness/pipeline-place.ts';
import { sweepTo } from '../harness/running-pipeline.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { interaction } from '../processors/intake-fixture.ts';

const AT = Date.UTC(2026, 2, 10, 18, 5);
const LEAVES = '2026-04-10T00:00:00.000Z';
const SEGMENT = { id: 'buyers', name: 'Bought this month', brands: ['*'], where: { 'traits.orders.30d': { $gte: 1 } } };
const TOKEN = 'a-token-of-tests-0123';

interface Answer {
  readonly asOf: string;
  readonly readFrom: string;
  readonly isNewest: boolean;
  readonly segments: { isMember: boolean; nextFlipAt: string | null }[];
  readonly then: { segments: string[] };
  readonly changes: object[];
}

describeWithServices('the API about customers', () => {
  test('foretells a flip that then comes, and tells it afterwards, here and beside another process', async () => {
    const definitions = await mkdtemp(join(tmpdir(), 'kizuna-api-'));
    try {
      await mkdir(join(definitions, 'segments'));
      await writeFile(join(definitions, 'segments', 'buyers.json'), JSON.stringify(SEGMENT));
      const settings = { KIZUNA_API_PORT: '0', KIZUNA_API_TOKEN: TOKEN };
      await using place = await pipelinePlace('api', { time: 'record', partitions: 2, definitions, settings });
      const order = { orderId: 'A-1', amountMinor: 4200, currency: 'JPY', guest: false, items: [] };
      const value = interaction({ brandId: 'demo', userId: '42', occurredAt: AT, type: 'ORDER_PLACED', order });
      await produceInteractions(place, [{ key: '42', timestamp: AT, value }]);
      await using running = await place.start();
      // Folds no customer: what it knows of them is in MongoDB.
      await using beside = await place.start({ only: ['intake'] });
      const get = async (url: string | null, path: string): Promise<Answer | null> => {
        const headers = { authorization: `Bearer ${TOKEN}` };
        const response = await fetch(`${url}/customers/demo/u:42${path}`, { headers });
        if (response.status === 404) return null;
        expect(response.status).toBe(200);
        return (await response.json()) as Answer;
      };
      await waitUntil('the order', async () => (await get(running.apiUrl, '')) ?? undefined, {
        withinMs: 60_000,
        failed: running.pipeline.failed,
      });
      for (const { apiUrl } of [running, beside]) {
        const told = await get(apiUrl, '/explain?segment=buyers&at=2026-03-11');
        expect(told).toMatchObject({ asOf: '2026-03-10T18:05:00.000Z', isNewest: true });
        expect(told?.segments).toMatchObject([{ isMember: true, nextFlipAt: LEAVES }]);
      }
      expect((await fetch(`${running.apiUrl}/customers/demo/u:42`)).status).toBe(401);

      await sweepTo(running, Date.parse(LEAVES));
      for (const { apiUrl } of [running, beside]) {
        const now = await get(apiUrl, '');
        expect(now).toMatchObject({ asOf: LEAVES, isNewest: true });
        const history = await get(apiUrl, '/history?at=2026-04-09T23:59:59.999Z');
        expect(history?.then.segments).toEqual(['buyers']);
        expect((await get(apiUrl, `/history?at=${LEAVES}`))?.then.segments).toEqual([]);
        const changes = [{ segmentId: 'buyers', change: 'EXITED' }];
        expect(history?.changes).toContainEqual({ kind: 'memberships', at: LEAVES, cause: 'TIME', changes });
      }
      const metrics = await (await fetch(`${running.url}/metrics`)).text();
      expect(metrics).toMatch(
        /kizuna_api_requests_total\{route="\/customers\/\{brand\}\/\{id\}\/history",status="200"\} [1-9]/,
      );
    } finally {
      await rm(definitions, { recursive: true });
    }
  });
});
