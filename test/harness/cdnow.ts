import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { churnModelOf } from '../../processors/customer/churn-model.ts';
import { churnProbability } from '../../processors/customer/churn-risk.ts';
import { shippedDefinitions } from '../../processors/definitions/load.ts';
import type { Interaction } from '../../schemas/types.ts';

/**
 * The CDNOW master file (Fader and Hardie): 69,659 purchases of 23,570 customers, a line each of customer, date, CDs,
 * dollars, sorted by customer. It is not part of the repository, but may lie beside it.
 */
const FOLDER = join(import.meta.dirname, '../../../shared/data');
const FILE = join(FOLDER, 'cdnow-master.txt');
/** A tenth of its customers, whom the published models were fitted to; with a second number for each customer. */
const SAMPLE = join(FOLDER, 'cdnow-sample.txt');

/** Whether the files are there; says so on stderr when one is not. */
export function cdnowIsThere(what: string): boolean {
  const missing = [FILE, SAMPLE].filter((file) => !existsSync(file));
  for (const file of missing) process.stderr.write(`SKIPPED: ${what}: ${file} is not there\n`);
  return missing.length === 0;
}

export interface Purchase {
  /** Of the purchase in the file, counted from 0. */
  readonly line: number;
  readonly customer: string;
  /** The day at 00:00 UTC. */
  readonly at: number;
  readonly cents: number;
}

/** In the order of the file: by customer, then day. */
export function readPurchases(): Purchase[] {
  const [header = '', ...lines] = readFileSync(FILE, 'latin1').split('\r\n');
  if (!header.includes('customer_id')) throw new Error(`${FILE} is not the file it should be`);
  return lines
    .filter((line) => line.trim() !== '')
    .map((text, line) => {
      const [customer = '', date = '', , dollars = ''] = text.trim().split(/\s+/);
      const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
      const [whole = '', hundredths = ''] = dollars.split('.');
      return { line, customer, at, cents: Number(whole) * 100 + Number(hundredths) };
    });
}

/** The days on which each customer bought, at 00:00 UTC, ascending. */
export function purchaseHistories(of: 'master' | 'sample'): number[][] {
  const histories = new Map<string, number[]>();
  for (const line of readFileSync(of === 'master' ? FILE : SAMPLE, 'latin1').split('\n')) {
    const [customer = '', ...rest] = line.trim().split(/\s+/);
    const date = (of === 'master' ? rest[0] : rest[1]) ?? '';
    const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
    if (Number.isNaN(at)) continue;
    const history = histories.get(customer);
    if (history === undefined) histories.set(customer, [at]);
    else history.push(at);
  }
  return [...histories.values()].map((history) => history.sort((a, b) => a - b));
}

export function purchaseInteraction({ line, customer, at, cents }: Purchase): Interaction {
  return {
    eventId: `line-${line}`,
    brandId: 'cdnow',
    occurredAt: at,
    userId: customer,
    anonymousId: null,
    emailHash: null,
    channel: 'STORE',
    type: 'ORDER_PLACED',
    touchpoint: null,
    campaignId: null,
    messageId: null,
    sessionId: null,
    pageViewId: null,
    product: null,
    order: { orderId: `order-${line}`, amountMinor: cents, currency: 'USD', guest: false, items: [] },
    score: null,
    text: null,
    language: null,
    engagedMs: null,
    machineGenerated: false,
    experiment: null,
    attributes: {},
  };
}

const WEEK_MS = 7 * 86_400_000;
/** Fitted to the purchases of the full cohort up to and with 1997-09-30. */
const MODEL = {
  model: 'mbg-nbd',
  horizonDays: 273,
  parameters: { r: 0.6371, alpha: 7.3103, a: 0.8075, b: 1.2284 },
  fittedAt: '1997-09-30T00:00:00Z',
} as const;
const BASELINE = { x: 1, tx: 10, T: 30 };

/** Writes a set of definitions: these of the shipped segments, and the churn model of the brand. */
export async function writeCdnowDefinitions(folder: string, segments: readonly string[]): Promise<string> {
  const unused = { brandId: 'cdnow', version: '', file: '', baseline: { probability: 0, ...BASELINE } };
  const history = { x: BASELINE.x, firstOrderAt: 0, lastOrderAt: BASELINE.tx * WEEK_MS };
  const probability = churnProbability(churnModelOf({ ...MODEL, ...unused }), history, BASELINE.T * WEEK_MS);
  await mkdir(join(folder, 'churn'), { recursive: true });
  await writeFile(
    join(folder, 'churn/cdnow.json'),
    JSON.stringify({ ...MODEL, baseline: { probability, ...BASELINE }, quality: {} }),
  );
  for (const id of segments) {
    await cp(join(shippedDefinitions, 'segments', `${id}.json`), join(folder, 'segments', `${id}.json`));
  }
  return folder;
}
