import type {
  Block,
  Documents,
  Emitter,
  EventLog,
  Journal,
  Store,
  TopicPartition,
} from '../../processors/runtime/ports.ts';
import type { Services } from '../../processors/runtime/services.ts';

/** Where a process can be struck: between two steps whose order makes delivery safe, or in the midst of one. */
export const FAULT_POINTS = [
  'after fetch',
  'after fold',
  'after the block',
  'mid-produce',
  'before the commit',
  'mid-flush',
  'before the claim',
  'after the claim',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/** Called at each pass of a point; `where` is for people. */
export type OnPass = (point: FaultPoint, where: string) => Promise<void> | void;

/**
 * The same services, telling each pass of a named point. What is in the midst of a step is split there: the first half is
 * done, the rest is not.
 */
export function withFaultPoints(services: Services, onPass: OnPass): Services {
  return {
    ...services,
    log: watchedLog(services.log, onPass),
    emitter: watchedEmitter(services.emitter, onPass),
    store: watchedStore(services.store, onPass),
  };
}

const name = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** `target`, some of whose methods are replaced. */
export function replacing<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (of, name) => {
      const own: unknown = Reflect.get(methods, name) ?? Reflect.get(of, name, of);
      // Methods of a class reach what is private to it through `this`.
      return typeof own === 'function' ? (own.bind(of) as unknown) : own;
    },
  });
}

function watchedLog(log: EventLog, onPass: OnPass): EventLog {
  return replacing(log, {
    join: async (group, topics, handler) => {
      const watched = replacing(handler, {
        onBatch: async (batch, heartbeat) => {
          await onPass('after fetch', name(batch));
          return handler.onBatch(batch, heartbeat);
        },
      });
      const member = await log.join(group, topics, watched);
      return replacing(member, {
        commit: async (at, offset, metadata) => {
          await onPass('before the commit', name(at));
          return member.commit(at, offset, metadata);
        },
      });
    },
  });
}

function watchedEmitter(emitter: Emitter, onPass: OnPass): Emitter {
  return replacing(emitter, {
    send: async (records) => {
      const half = Math.floor(records.length / 2);
      if (half === 0) return emitter.send(records);
      await emitter.send(records.slice(0, half));
      const rest = emitter.send(records.slice(half));
      // Struck while the rest is on its way: it may arrive or not.
      await onPass('mid-produce', records[half]?.topic ?? '');
      return rest;
    },
  });
}

function watchedStore(store: Store, onPass: OnPass): Store {
  return replacing(store, {
    journal: (processor) => watchedJournal(store.journal(processor), onPass),
    documents: (processor) => watchedDocuments(store.documents(processor), onPass),
  });
}

/** What packs nothing at all is a claim: a block of a batch says at least that it has no outputs. */
const isClaim = (block: Block): boolean => block.outputs.length === 0;

function watchedJournal(journal: Journal, onPass: OnPass): Journal {
  return replacing(journal, {
    write: async (at, block) => {
      const where = `${name(at)}, block ${block.seq}`;
      await onPass(isClaim(block) ? 'before the claim' : 'after fold', where);
      await journal.write(at, block);
      await onPass(isClaim(block) ? 'after the claim' : 'after the block', where);
    },
  });
}

function watchedDocuments(documents: Documents, onPass: OnPass): Documents {
  return replacing(documents, {
    store: async (writes) => {
      const half = Math.floor(writes.length / 2);
      if (half === 0) return documents.store(writes);
      const first = await documents.store(writes.slice(0, half));
      await onPass('mid-flush', `partition ${writes[0]?.partition}, ${half} of ${writes.length} documents stored`);
      return [...first, ...(await documents.store(writes.slice(half)))];
    },
  });
}
