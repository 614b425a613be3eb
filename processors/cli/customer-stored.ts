import { ByteReader } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import type { Inspection } from '../customer/inspect.ts';
import { createCustomer } from '../customer/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import type { Config } from '../runtime/config.ts';
import { openMongoStore } from '../runtime/mongo/store.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { commandLog, requireServices } from './connections.ts';
import { OutcomeMeter } from './outcome-meter.ts';

/** What was found of a customer. */
export type Found =
  | { readonly kind: 'found'; readonly key: string; readonly at: Instant; readonly inspection: Inspection }
  | { readonly kind: 'unknown'; readonly tried: readonly string[] }
  /** Asked for an instant before the customer's clock. */
  | { readonly kind: 'past'; readonly key: string; readonly asOf: Instant };

/** In the order in which somebody who is known by several is the one or the other. */
const KINDS = ['u:', 'e:', 'a:'];

/** Reads one customer's stored document and looks at it as of an instant (null: now), by the definitions of now. */
export async function inspectStored(config: Config, brand: string, id: string, wanted: Instant | null): Promise<Found> {
  const services = requireServices(config);
  const customer = createCustomer(await loadDefinitions(config.definitionsFolder ?? shippedDefinitions));
  const subjects = KINDS.some((kind) => id.startsWith(kind)) ? [id] : KINDS.map((kind) => kind + id);
  const keys = subjects.map((subject) => `${brand}|${subject}`);
  await using stack = new AsyncDisposableStack();
  const options = { ...services.store, processors: [storeName(customer)] };
  const store = stack.adopt(await openMongoStore(options, commandLog(config), new OutcomeMeter()), (each) =>
    each.close(),
  );
  const stored = await store.documents(storeName(customer)).load(keys);
  const key = keys.find((each) => stored.some((document) => document.key === each));
  const document = stored.find((each) => each.key === key);
  if (key === undefined || document === undefined) return { kind: 'unknown', tried: keys };
  const state = customer.state.unpack(new ByteReader(document.state));
  const asOf = customer.clock(state);
  // Records may be stamped a little ahead of this machine's clock.
  const at = wanted ?? Math.max(Date.now(), asOf);
  if (at < asOf) return { kind: 'past', key, asOf };
  return { kind: 'found', key, at, inspection: customer.inspect(state, at) };
}
