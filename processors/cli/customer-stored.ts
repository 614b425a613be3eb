import { keysOf } from '../api/customer-reader.ts';
import { subjectKey } from '../core/identity.ts';
import { ByteReader } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { createCustomer, type CustomerProcessor } from '../customer/processor.ts';
import type { CustomerState } from '../customer/state.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import type { Config } from '../runtime/config.ts';
import { openMongoStore } from '../runtime/mongo/store.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { commandLog, requireServices } from './connections.ts';
import { timeText } from './dlq-text.ts';
import { CommandFailed } from './failure.ts';
import { OutcomeMeter } from './outcome-meter.ts';

/** A customer as stored, with what looks at it by the definitions of now. */
export interface StoredCustomer {
  readonly key: string;
  readonly state: CustomerState;
  readonly customer: CustomerProcessor;
  /** The customer's clock. */
  readonly asOf: Instant;
  /** Keys that were asked for or led here, the first one first: each is linked to the next, the last to `key`. */
  readonly linkedFrom: readonly string[];
}

/**
 * The first of the keys that somebody may have who is known as `id`; of an identifier that is linked, the customer it is part of.
 *
 * @throws CommandFailed when there is none
 */
export async function loadCustomer(config: Config, brand: string, id: string): Promise<StoredCustomer> {
  const services = requireServices(config);
  const customer = createCustomer(await loadDefinitions(config.definitionsFolder ?? shippedDefinitions));
  const keys = keysOf(brand, id);
  await using stack = new AsyncDisposableStack();
  const options = { ...services.store, processors: [storeName(customer)] };
  const store = stack.adopt(await openMongoStore(options, commandLog(config), new OutcomeMeter()), (each) =>
    each.close(),
  );
  const documents = store.documents(storeName(customer));
  const stored = await documents.load(keys);
  const key = keys.find((each) => stored.some((document) => document.key === each));
  const document = stored.find((each) => each.key === key);
  if (key === undefined || document === undefined)
    throw new CommandFailed(`There is no customer ${keys.join(', nor ')}.`);
  const linkedFrom: string[] = [];
  for (let at = document; ;) {
    const state = customer.state.unpack(new ByteReader(at.state));
    const { redirect, erasedAt } = customer.links(state);
    if (customer.isErased(state)) throw new CommandFailed(`${at.key} was erased at ${timeText(erasedAt ?? 0)}.`);
    if (redirect === null) return { key: at.key, state, customer, asOf: customer.clock(state), linkedFrom };
    linkedFrom.push(at.key);
    const [next] = await documents.load([subjectKey(brand, redirect)]);
    if (next === undefined)
      throw new CommandFailed(`${at.key} is part of ${brand}|${redirect}, whose document is not stored yet.`);
    at = next;
  }
}
