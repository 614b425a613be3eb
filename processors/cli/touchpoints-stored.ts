import { ByteReader } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import type { Span } from '../core/window.ts';
import { loadConfig } from '../runtime/config.ts';
import { scanStates } from '../runtime/mongo/scan-states.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { answersIn, type TouchpointAnswers } from '../touchpoint/ranking.ts';
import { touchpointPacking } from '../touchpoint/state.ts';
import { requireServices } from './connections.ts';
import type { Terminal } from './terminal.ts';

const TOUCHPOINT = storeName({ name: 'touchpoint', version: 1 });

/** What the stored documents of a brand say of each touchpoint over a window, all its channels together. */
export interface StoredAnswers {
  readonly touchpoints: ReadonlyMap<string, TouchpointAnswers>;
  /** The latest instant of the documents; −1 without any. */
  readonly asOf: Instant;
}

/** Reads as of `at`, or of a document's own clock where that is ahead. */
export async function storedAnswers(
  terminal: Terminal,
  { brand, span, at }: { readonly brand: string; readonly span: Span; readonly at: Instant },
  progress: (documents: number) => void,
): Promise<StoredAnswers> {
  const { store } = requireServices(loadConfig(terminal.environment));
  const touchpoints = new Map<string, TouchpointAnswers>();
  let [documents, asOf] = [0, -1];
  for await (const stored of scanStates(store, TOUCHPOINT, `${brand}|`)) {
    documents += 1;
    progress(documents);
    const state = touchpointPacking.unpack(new ByteReader(stored.state));
    if (state.kind !== 'scores') continue;
    asOf = Math.max(asOf, state.at);
    const known = touchpoints.get(state.touchpoint) ?? { answers: 0, dissatisfied: 0, complaints: 0 };
    const { answers, dissatisfied, complaints } = answersIn(state, span, Math.max(at, state.at));
    touchpoints.set(state.touchpoint, {
      answers: known.answers + answers,
      dissatisfied: known.dissatisfied + dissatisfied,
      complaints: known.complaints + complaints,
    });
  }
  return { touchpoints, asOf };
}
