import { randomBytes } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import type { Command } from '../../schemas/types.ts';
import { subjectKey } from '../core/identity.ts';
import type { Instant } from '../core/processor.ts';
import type { ErasureReceipt } from '../runtime/erasure-store.ts';
import type { OutgoingRecord } from '../runtime/ports.ts';
import { blankJournals, type Erased } from './erase-journal.ts';
import { caseKeys, casesOf, customersOf, type ErasurePlan, type FoundDocument } from './erase-plan.ts';
import { hashOf, Sought } from './erasure-subjects.ts';
import type { ErasureWorld } from './erasure-world.ts';
import { CommandFailed } from './failure.ts';

const COMMANDS = 'commands.v1';
const LOOK_AGAIN_MS = 250;
/** Records of one send. */
const SLICE = 1_000;

export interface EraseOptions {
  readonly erasureKey: string;
  readonly by: string;
  readonly note: string;
  readonly timeoutMs: number;
  readonly now: () => Instant;
  readonly progress: (line: () => string) => void;
}

/**
 * Orders the erasure, waits until every document that it is about is stored as erased, and takes what the journals still hold.
 * The receipt is there before the order is: an erasure that nobody knows of is none. Everything may be repeated.
 *
 * @throws CommandFailed when the pipeline does not carry it out in time: the order stands all the same
 */
export async function carryOut(world: ErasureWorld, plan: ErasurePlan, options: EraseOptions): Promise<ErasureReceipt> {
  const { brand, subjects } = plan;
  const { erasureKey, by, note, now } = options;
  const orderedAt = now();
  const orders = ordersOf(world, plan, orderedAt, options);
  const ordered: ErasureReceipt = {
    id: randomBytes(12).toString('hex'),
    brandId: brand,
    subjects: subjects.map((subject) => hashOf(erasureKey, subjectKey(brand, subject))),
    ...{ orderedAt, by, note, finishedAt: null, counts: { orders: orders.length } },
  };
  await world.erasures.keep(ordered);
  for (let from = 0; from < orders.length; from += SLICE) await world.emitter.send(orders.slice(from, from + SLICE));

  const deadline = now() + options.timeoutMs;
  const { customers, cases } = await untilErased(world, plan, orderedAt, deadline, options);
  const sought = new Sought(brand, subjects);
  let [states, outputs] = [0, 0];
  for (;;) {
    const blanked = await blankJournals(world, { customers, cases }, sought);
    states += blanked.states;
    outputs += blanked.outputs;
    if (blanked.left === 0) break;
    if (now() > deadline)
      throw new CommandFailed(`${blanked.left} outputs in journals are not acknowledged yet: ${AGAIN}`);
    await rest(LOOK_AGAIN_MS);
  }
  const counts = { orders: orders.length, customers: customers.length, cases: cases.length, states, outputs };
  const finished = { ...ordered, finishedAt: now(), counts };
  await world.erasures.keep(finished);
  return finished;
}

const AGAIN = 'the order is given and stands; the same command again finishes the rest.';

/** One for each identifier, and one for each of the brand's touchpoints where it has a case or could get one. */
function ordersOf(
  { codec }: ErasureWorld,
  { brand, subjects, touchpoints }: ErasurePlan,
  issuedAt: Instant,
  { by, note }: EraseOptions,
): OutgoingRecord[] {
  const run = randomBytes(8).toString('hex');
  return subjects.flatMap((subject, ofSubject) =>
    [null, ...touchpoints].map((target, index): OutgoingRecord => {
      const command: Command = {
        ...{ commandId: `erase-${run}-${ofSubject}-${index}`, brandId: brand, kind: 'ERASE', issuedAt, issuedBy: by },
        ...{ subject, target, reason: note === '' ? null : note },
      };
      const key = Buffer.from(subjectKey(brand, subject));
      return { topic: COMMANDS, key, value: codec.encode(COMMANDS, command), timestamp: issuedAt, headers: {} };
    }),
  );
}

/** Waits until all of them are stored as erased by this order or a later one. */
async function untilErased(
  world: ErasureWorld,
  plan: ErasurePlan,
  orderedAt: Instant,
  deadline: Instant,
  { now, progress }: EraseOptions,
): Promise<Erased> {
  const wanted = plan.subjects.length + caseKeys(plan).length;
  for (;;) {
    const isDone = ({ erasedAt }: FoundDocument): boolean => erasedAt >= orderedAt;
    const customers = (await customersOf(world, plan)).filter(isDone);
    const cases = (await casesOf(world, plan)).filter(isDone);
    const done = customers.length + cases.length;
    if (done === wanted) return { customers, cases };
    if (now() > deadline) {
      throw new CommandFailed(`${wanted - done} of ${wanted} documents are not stored as erased yet: ${AGAIN}`);
    }
    progress(() => `${done} of ${wanted} documents are erased`);
    await rest(LOOK_AGAIN_MS);
  }
}
