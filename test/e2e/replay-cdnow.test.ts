import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replay, type ReplaySummary } from '../../processors/cli/replay-run.ts';
import { calibrationError } from '../../processors/core/calibration.ts';
import { areaUnderCurve, brierScore } from '../../processors/core/statistics.ts';
import { loadDefinitions } from '../../processors/definitions/load.ts';
import { cdnowIsThere, purchaseInteraction, readPurchases, writeCdnowDefinitions } from '../harness/cdnow.ts';
import { writeInteractions } from '../harness/interactions.ts';
import { linesOf } from '../harness/published-lines.ts';

const present = cdnowIsThere('the churn risk of a replay is not held to the CDNOW customers');

const DAY_MS = 86_400_000;
/** The last day of the calibration: its purchases are known. */
const CUT_OFF = Date.parse('1997-09-30T00:00:00Z');
const HORIZON_DAYS = 273;

describe.runIf(present)(
  'the churn risk of `replay --until 1997-09-30T00:00Z`, against what the customers then did',
  () => {
    const purchases = present ? readPurchases() : [];
    const risks: number[] = [];
    const lost: boolean[] = [];
    let folder = '';
    let summary: ReplaySummary;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kizuna-replay-'));
      const file = join(folder, 'purchases.ndjson');
      const to = join(folder, 'out');
      await writeInteractions(
        file,
        purchases.map((each) => ({ key: '', timestamp: each.at, value: purchaseInteraction(each) })),
      );
      const definitions = await loadDefinitions(await writeCdnowDefinitions(join(folder, 'definitions'), []));
      summary = await replay({ file, to, definitions, until: CUT_OFF });
      const returned = new Set(
        purchases
          .filter(({ at }) => at > CUT_OFF && at <= CUT_OFF + HORIZON_DAYS * DAY_MS)
          .map(({ customer }) => `cdnow|u:${customer}`),
      );
      for await (const line of linesOf(join(to, 'profiles.ndjson'))) {
        const { key, profile } = JSON.parse(line) as { key: string; profile: { churn: { probability: number } } };
        risks.push(profile.churn.probability);
        lost.push(!returned.has(key));
      }
    }, 60_000);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test('counts every line of the file once', async () => {
      const known = purchases.filter(({ at }) => at <= CUT_OFF).length;
      expect(summary).toMatchObject({ records: known, applied: known, skipped: {}, rejected: {}, customers: 23_570 });
      expect(summary.afterUntil).toBe(69_659 - known);
      expect(JSON.parse(await readFile(join(folder, 'out/summary.json'), 'utf8'))).toEqual(summary);
    });

    test('ranks and weighs every customer as computed for this model', () => {
      expect(risks).toHaveLength(23_570);
      expect(lost.filter((each) => !each)).toHaveLength(7_058);
      const auc = areaUnderCurve(risks, lost);
      const ece = calibrationError(risks, lost);
      process.stdout.write(
        `CDNOW replay: AUC ${auc.toFixed(4)}, ECE ${ece.toFixed(4)}, Brier ${brierScore(risks, lost).toFixed(4)}\n`,
      );
      expect(Math.abs(auc - 0.7547)).toBeLessThan(0.001);
      expect(Math.abs(ece - 0.062)).toBeLessThan(0.001);
      expect(Math.abs(brierScore(risks, lost) - 0.1661)).toBeLessThan(0.001);
    });
  },
);
