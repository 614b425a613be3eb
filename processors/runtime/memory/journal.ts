import { PipelineError } from '../../core/errors.ts';
import type { BlockBodies, StoredBlock } from '../erasure-store.ts';
import { RING_SLOTS } from '../ports.ts';
import type { Block, BlockHeader, BlockLedger, Journal, TopicPartition } from '../ports.ts';

/** What a MongoDB document may hold. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
/** Generous for the field names and numbers of a block, and of one source. */
const FIXED_BYTES = 512;
const SOURCE_BYTES = 64;

/** The journal of one processor in this process's memory, with the real one's compare-and-set and refusals. */
export class MemoryJournal implements Journal {
  readonly #rings = new Map<string, Map<number, Block>>();

  async headers(at: TopicPartition): Promise<BlockHeader[]> {
    return Array.from(this.#ring(at).values(), ({ seq, nonce, epoch, next, flushedTo, emittedTo, last }) => {
      return { seq, nonce, epoch, next, flushedTo, emittedTo, last };
    });
  }

  async blocks(at: TopicPartition, from: number, to: number): Promise<Block[]> {
    return Array.from(this.#ring(at).values())
      .filter((block) => block.seq >= from && block.seq <= to)
      .sort((a, b) => a.seq - b.seq)
      .map(copy);
  }

  async ledgers(at: TopicPartition, from: number, to: number): Promise<BlockLedger[]> {
    return (await this.blocks(at, from, to)).map(({ seq, ledger }) => ({ seq, ledger }));
  }

  async write(at: TopicPartition, block: Block): Promise<void> {
    if (sizeOf(block) > MAX_BLOCK_BYTES) {
      throw new PipelineError('invariant_broken', 'a journal block is larger than a document may be', {
        retriable: false,
      });
    }
    const ring = this.#ring(at);
    const slot = block.seq % RING_SLOTS;
    const held = ring.get(slot);
    if (held?.nonce === block.nonce) return;
    const free = block.seq < RING_SLOTS ? held === undefined : held?.seq === block.seq - RING_SLOTS;
    if (!free) {
      throw new PipelineError('ownership_lost', 'the journal slot holds a block of another owner', { retriable: true });
    }
    ring.set(slot, copy(block));
  }

  /** What every block holds, of one partition or of all: for the erasures of an embedded run. */
  stored(at: TopicPartition | null): StoredBlock[] {
    return [...this.#rings].flatMap(([name, ring]) => {
      const bar = name.lastIndexOf('/');
      const place = { topic: name.slice(0, bar), partition: Number(name.slice(bar + 1)) };
      if (at !== null && (at.topic !== place.topic || at.partition !== place.partition)) return [];
      return Array.from(ring.values(), copy).map(({ seq, nonce, states, outputs }) => {
        return { at: place, seq, nonce, states, outputs };
      });
    });
  }

  /** Replaces what a block holds, unless it is another one by now or holds something else. */
  rewrite({ at, seq, nonce, states, outputs }: StoredBlock, bodies: BlockBodies): boolean {
    const held = this.#ring(at).get(seq % RING_SLOTS);
    if (held?.seq !== seq || held.nonce !== nonce) return false;
    if (!held.states.equals(states) || !held.outputs.equals(outputs)) return false;
    this.#ring(at).set(seq % RING_SLOTS, copy({ ...held, ...bodies }));
    return true;
  }

  #ring({ topic, partition }: TopicPartition): Map<number, Block> {
    const name = `${topic}/${partition}`;
    let ring = this.#rings.get(name);
    if (ring === undefined) {
      ring = new Map();
      this.#rings.set(name, ring);
    }
    return ring;
  }
}

/** Nothing is shared with the caller, as if it had gone over a wire. */
function copy(block: Block): Block {
  return {
    seq: block.seq,
    nonce: block.nonce,
    epoch: block.epoch,
    next: block.next,
    flushedTo: block.flushedTo,
    emittedTo: block.emittedTo,
    last: block.last && { ...block.last },
    sources: new Map(Array.from(block.sources, ([source, { n, index }]) => [source, { n, index }])),
    totals: Buffer.from(block.totals),
    ledger: Buffer.from(block.ledger),
    states: Buffer.from(block.states),
    outputs: Buffer.from(block.outputs),
  };
}

function sizeOf(block: Block): number {
  let size = FIXED_BYTES + block.totals.length + block.ledger.length + block.states.length + block.outputs.length;
  for (const source of block.sources.keys()) size += SOURCE_BYTES + Buffer.byteLength(source);
  return size;
}
