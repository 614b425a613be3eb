import type { Terminal } from './terminal.ts';

const EVERY_MS = 1_000;

/** What a command that takes its time says on stderr meanwhile. */
export class Progress {
  readonly #terminal: Terminal;
  #saidAt = performance.now();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  say(line: string): void {
    this.#saidAt = performance.now();
    this.#terminal.err(`${line}\n`);
  }

  /** For what comes many times a second: said once in a second. */
  often(line: () => string): void {
    if (performance.now() - this.#saidAt >= EVERY_MS) this.say(line());
  }
}
