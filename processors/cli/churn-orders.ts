import { firstOrderAt } from '../churn/enough-data.ts';
import type { OrderHistory } from '../churn/order-history.ts';
import { ByteReader } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { OpenState } from '../customer/open-state.ts';
import { orderTimes } from '../customer/order-times.ts';
import { customerPacking } from '../customer/state.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import { loadConfig } from '../runtime/config.ts';
import { scanStates } from '../runtime/mongo/scan-states.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import type { StoredState } from '../runtime/ports.ts';
import { requireServices } from './connections.ts';
import { CommandFailed } from './failure.ts';
import { readOrderCsv } from './order-csv.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { Progress } from './progress.ts';
import { foldLines, openReplayChain } from './replay-chain.ts';
import { openInput } from './replay-input.ts';
import type { Terminal } from './terminal.ts';

/** The orders of a brand's customers, and up to when they are known. */
export interface BrandOrders {
  readonly histories: readonly OrderHistory[];
  readonly until: Instant;
}

export interface OrderSource {
  /** null: the stored documents. */
  readonly file: string | null;
  readonly brand: string;
  /** Inclusive; null: as far as anything is known. */
  readonly until: Instant | null;
}

const CUSTOMER = storeName({ name: 'customer', version: 1 });
const WRONG_LINES_SHOWN = 5;

/**
 * Reads when the customers of a brand ordered: from a `.csv` of customer and date, from any other file as a replay would, or
 * from the documents in MongoDB.
 */
export async function readOrders(source: OrderSource, terminal: Terminal): Promise<BrandOrders> {
  const { file, brand, until } = source;
  const progress = new Progress(terminal);
  const read =
    file === null ? await fromDocuments(brand, terminal, progress) : await fromFile(file, source, terminal, progress);
  const known = until ?? read.until;
  const histories = read.histories
    .map((history) => history.filter((at) => at <= known))
    .filter((history) => history.length > 0);
  if (histories.length === 0) throw new CommandFailed(`no customer of brand ${brand} ordered, as far as is known`);
  const span = `${dayOf(firstOrderAt(histories))} to ${dayOf(known)}`;
  progress.say(`${histories.length} customers of ${brand} with orders, ${span}`);
  return { histories, until: known };
}

export const dayOf = (at: Instant): string => new Date(at).toISOString().slice(0, 10);

async function fromDocuments(brand: string, terminal: Terminal, progress: Progress): Promise<BrandOrders> {
  const { store } = requireServices(loadConfig(terminal.environment), ', or a file of orders');
  const gathered = new GatheredOrders();
  for await (const stored of scanStates(store, CUSTOMER, `${brand}|`)) {
    gathered.add(stored);
    progress.often(() => `${gathered.customers} documents read`);
  }
  return gathered;
}

async function fromFile(
  file: string,
  source: OrderSource,
  terminal: Terminal,
  progress: Progress,
): Promise<BrandOrders> {
  await using input = await openInput(file);
  const lines = (count: number): void => {
    progress.often(() => `${count} lines read`);
  };
  if (/\.csv$/i.test(file)) {
    const histories = await readOrderCsv(file, input, lines);
    return { histories, until: histories.reduce((latest, history) => Math.max(latest, history.at(-1) ?? 0), 0) };
  }
  const { definitionsFolder } = loadConfig(terminal.environment);
  // Segments and churn models change nothing about orders.
  const definitions = await loadDefinitions(definitionsFolder ?? shippedDefinitions);
  const bare = { ...definitions, segments: [], churn: new Map<never, never>() };
  const meter = new OutcomeMeter();
  await using world = await openReplayChain(bare, meter, () => undefined);
  let wrong = 0;
  const { latest } = await foldLines(world, input, {
    until: source.until,
    folded: lines,
    refused: (line, fault) => {
      wrong += 1;
      if (wrong <= WRONG_LINES_SHOWN) progress.say(`line ${line}: ${fault}: left out`);
    },
  });
  const { rejected } = meter.finalOutcomes(world.processors.map(({ name }) => name));
  const refused = Object.values(rejected).reduce((sum, records) => sum + records, 0);
  if (refused > 0) progress.say(`${refused} lines are no valid interactions and were left out`);
  await world.chain.store();
  const gathered = new GatheredOrders();
  for (const stored of world.services.store.documents(CUSTOMER).all()) {
    if (stored.key.startsWith(`${source.brand}|`)) gathered.add(stored);
  }
  return { histories: gathered.histories, until: latest };
}

/** What the packed states of the customer processor say of orders. */
class GatheredOrders implements BrandOrders {
  readonly histories: OrderHistory[] = [];
  /** The newest instant that any of them has seen. */
  until: Instant = 0;
  customers = 0;
  readonly #open = new OpenState();

  add(stored: StoredState): void {
    const state = customerPacking.unpack(new ByteReader(stored.state));
    this.customers += 1;
    this.until = Math.max(this.until, state.at);
    this.#open.open(state);
    if (this.#open.facts.days > 0) this.histories.push(orderTimes(this.#open.book));
  }
}
