import type { PreparedCodec } from '../../schemas/codec.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import type { Emitter, EventLog, Store } from './ports.ts';

/** The outside world of one process, real or embedded. */
export interface Services extends AsyncDisposable {
  /** For people: what is used, without secrets. */
  readonly description: string;
  readonly log: EventLog;
  readonly emitter: Emitter;
  readonly store: Store;
  readonly registry: SchemaRegistry;
  readonly codec: PreparedCodec;
}
