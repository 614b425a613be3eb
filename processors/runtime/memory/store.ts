import { PipelineError } from '../../core/errors.ts';
import type { Store } from '../ports.ts';
import { MemoryGenerations } from './definition-generations.ts';
import { MemoryDocuments } from './documents.ts';
import { MemoryFoldMarks } from './fold-marks.ts';
import { MemoryInputMarks } from './input-marks.ts';
import { MemoryJournal } from './journal.ts';

/** A store in this process's memory: gone with the process. Several runtimes may share one, like rival owners. */
export interface MemoryStore extends Store {
  journal(processor: string): MemoryJournal;
  documents(processor: string): MemoryDocuments;
}

export function createMemoryStore(): MemoryStore {
  const journals = new Map<string, MemoryJournal>();
  const documents = new Map<string, MemoryDocuments>();
  const marks = new Map<string, MemoryInputMarks>();
  let closed = false;
  return {
    journal: (processor) => madeOnce(journals, processor, () => new MemoryJournal()),
    documents: (processor) => madeOnce(documents, processor, () => new MemoryDocuments()),
    generations: new MemoryGenerations(),
    marks: new MemoryFoldMarks(),
    inputMarks: (processor) => madeOnce(marks, processor, () => new MemoryInputMarks()),
    async ping() {
      if (closed) throw new PipelineError('store_unavailable', 'the store is closed', { retriable: false });
    },
    async close() {
      closed = true;
    },
  };
}

function madeOnce<T>(made: Map<string, T>, name: string, make: () => T): T {
  let value = made.get(name);
  if (value === undefined) {
    value = make();
    made.set(name, value);
  }
  return value;
}
