import { randomBytes } from 'node:crypto';
import type { Command } from '../../schemas/types.ts';
import { subjectKey } from '../core/identity.ts';
import type { Instant } from '../core/processor.ts';
import { splitTouchpointKey } from '../core/touchpoint-key.ts';
import type { ErasureReceipt } from '../runtime/erasure-store.ts';
import type { OutgoingRecord } from '../runtime/ports.ts';
import { blankJournals, type Erased } from './erase-journal.ts';
import { planErasure, type ErasurePlan } from './erase-plan.ts';
import { until, untilErased, untilFolded, type Left, type Patience } from './erase-wait.ts';
import { hashOf, Sought } from './erasure-subjects.ts';
import type { ErasureWorld } from './erasure-world.ts';
import { CommandFailed } from './failure.ts';

const COMMANDS = 'commands.v1';
/** Records of one send. */
const SLICE = 1_000;
/** How long an order waits for what was ordered before it, such as the end of a link. */
const BEFORE_MS = 10_000;

export interface EraseOptions {
  readonly erasureKey: string;
  readonly by: string;
  readonly note: string;
  readonly timeoutMs: number;
  readonly now: () => Instant;
  readonly progress: (line: () => string) => void;
}

/** What was carried out, of whom. */
export interface CarriedOut {
  readonly plan: ErasurePlan;
  readonly receipt: ErasureReceipt;
  /** Receipts that broke off and whose end is this one. */
  readonly finished: readonly ErasureReceipt[];
}

/**
 * Orders the erasure, waits until every document that it is about is stored as erased, looks again for what was linked
 * meanwhile, and takes what the journals still hold. The receipt is there before the order is: an erasure that nobody knows of
 * is none. Everything may be repeated.
 *
 * @throws CommandFailed when the pipeline does not carry it out in time: the order stands all the same
 */
export async function carryOut(
  world: ErasureWorld,
  brand: string,
  given: readonly string[],
  options: EraseOptions,
): Promise<CarriedOut> {
  const { erasureKey, by, note, now, progress } = options;
  const begun = now();
  await untilFolded(world, { deadline: begun + BEFORE_MS, now, progress });
  let plan = await planErasure(world, { brand, given, erasureKey }, progress);
  let receipt: ErasureReceipt = {
    id: randomBytes(12).toString('hex'),
    ...{ brandId: brand, subjects: [], orderedAt: now(), by, note, finishedAt: null, counts: { orders: 0 } },
  };
  /** By key of a document, when it was ordered to be erased. */
  const ordered = new Map<string, Instant>();
  for (;;) {
    const patience: Patience = { deadline: begun + options.timeoutMs, now, progress };
    const keys = plan.subjects.map((subject) => subjectKey(brand, subject));
    const orders = ordersOf(world, plan, ordered, options);
    if (orders.length > 0) {
      const counts = { orders: (receipt.counts['orders'] ?? 0) + orders.length };
      receipt = { ...receipt, subjects: keys.map((key) => hashOf(erasureKey, key)), counts };
      await world.erasures.keep(receipt);
      for (let from = 0; from < orders.length; from += SLICE)
        await world.emitter.send(orders.slice(from, from + SLICE));
    }
    throwIfLeft(await untilFolded(world, patience));
    const erased = await untilErased(world, plan, ordered, patience);
    if (typeof erased === 'string') throw new CommandFailed(`${erased}: ${AGAIN}`);
    // A link that was on its way, and a case that an answer on its way opened.
    const next = await planErasure(world, { brand, given: plan.subjects, erasureKey }, progress);
    const isKnown = next.subjects.length === plan.subjects.length && next.cases.every((key) => ordered.has(key));
    plan = { ...next, open: next.open.filter(({ id }) => id !== receipt.id) };
    if (isKnown) return finish(world, plan, receipt, erased, options, patience);
  }
}

const AGAIN = 'the order is given and stands; the same command again finishes the rest.';

function throwIfLeft(left: Left): void {
  if (left !== null) throw new CommandFailed(`${left}: ${AGAIN}`);
}

async function finish(
  world: ErasureWorld,
  plan: ErasurePlan,
  ordered: ErasureReceipt,
  erased: Erased,
  { now }: EraseOptions,
  patience: Patience,
): Promise<CarriedOut> {
  const sought = new Sought(plan.brand, plan.subjects);
  let [states, outputs, left] = [0, 0, 0];
  const areBlank = async (): Promise<boolean> => {
    const blanked = await blankJournals(world, erased, sought);
    states += blanked.states;
    outputs += blanked.outputs;
    left = blanked.left;
    return left === 0;
  };
  const text = (): string => `${left} outputs in journals are not acknowledged yet`;
  if (!(await until(areBlank, text, patience))) throw new CommandFailed(`${text()}: ${AGAIN}`);
  const documents = { customers: erased.customers.length, cases: erased.cases.length };
  const receipt = { ...ordered, finishedAt: now(), counts: { ...ordered.counts, ...documents, states, outputs } };
  await world.erasures.keep(receipt);
  const isCovered = (each: ErasureReceipt): boolean => each.subjects.every((hash) => receipt.subjects.includes(hash));
  const finished = plan.open.filter(isCovered).map((each) => ({ ...each, finishedAt: receipt.finishedAt }));
  for (const each of finished) await world.erasures.keep(each);
  return { plan, receipt, finished };
}

/** One for each identifier and for each case that none was given for yet, which it notes. */
function ordersOf(
  { codec }: ErasureWorld,
  { brand, subjects, cases }: ErasurePlan,
  ordered: Map<string, Instant>,
  { now, by, note }: EraseOptions,
): OutgoingRecord[] {
  const run = randomBytes(8).toString('hex');
  const issuedAt = now();
  const orders: OutgoingRecord[] = [];
  const order = (document: string, subject: string, target: string | null): void => {
    if (ordered.has(document)) return;
    ordered.set(document, issuedAt);
    const command: Command = {
      ...{ commandId: `erase-${run}-${orders.length}`, brandId: brand, kind: 'ERASE', issuedAt, issuedBy: by },
      ...{ subject, target, reason: note === '' ? null : note },
    };
    const key = Buffer.from(subjectKey(brand, subject));
    orders.push({ topic: COMMANDS, key, value: codec.encode(COMMANDS, command), timestamp: issuedAt, headers: {} });
  };
  for (const subject of subjects) order(subjectKey(brand, subject), subject, null);
  for (const key of cases) order(key, splitTouchpointKey(key).last, splitTouchpointKey(key).touchpoint);
  return orders;
}
