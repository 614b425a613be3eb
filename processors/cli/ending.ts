import type { Log } from '../runtime/ports.ts';
import type { EndSignal, Terminal } from './terminal.ts';

/** Ctrl-C under npm arrives twice, from the terminal and passed on by npm: the same signal so soon again is no second one. */
const SAME_SIGNAL_MS = 500;

/**
 * The end of a process that runs until it is told to stop: the first signal asks for it, a second one, or an end that takes
 * longer than its deadline, cuts it short with exit code 1.
 */
export class Ending implements Disposable {
  /** Resolves with the first signal. */
  readonly requested: Promise<EndSignal>;
  readonly #terminal: Terminal;
  readonly #deadlineMs: number;
  readonly #logger: Log;
  #onSignal: (signal: EndSignal) => void = () => undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal, deadlineMs: number, logger: Log) {
    this.#terminal = terminal;
    this.#deadlineMs = deadlineMs;
    this.#logger = logger;
    this.requested = new Promise((resolve) => {
      let first: { readonly signal: EndSignal; readonly at: number } | null = null;
      this.#onSignal = (signal) => {
        const at = performance.now();
        if (first !== null) {
          if (signal !== first.signal || at - first.at >= SAME_SIGNAL_MS) this.#cut('a second signal');
          return;
        }
        first = { signal, at };
        this.begin();
        resolve(signal);
      };
    });
    terminal.signals.on('SIGINT', this.#onSignal);
    terminal.signals.on('SIGTERM', this.#onSignal);
  }

  /** The end begins, for whatever reason: from here on it has a deadline. Harmless when repeated. */
  begin(): void {
    this.#deadline ??= setTimeout(() => {
      this.#cut('the deadline');
    }, this.#deadlineMs);
  }

  #cut(by: string): void {
    this.#logger.error('stopped before everything was finished', { by, deadlineMs: this.#deadlineMs });
    this.#terminal.exitNow(1);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#deadline);
    this.#terminal.signals.off('SIGINT', this.#onSignal);
    this.#terminal.signals.off('SIGTERM', this.#onSignal);
  }
}
