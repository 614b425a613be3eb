import type { loadConfig } from '../runtime/config.ts';

/** What a command sees of the process it runs in; tests give their own. */
export interface Terminal {
  /** For the answer. */
  out(text: string): void;
  /** For progress, logs and faults. */
  err(text: string): void;
  /** Where settings are read; undefined: the process's own environment. */
  readonly environment?: Parameters<typeof loadConfig>[0];
  /** Where SIGINT and SIGTERM arrive. */
  readonly signals: {
    on(signal: EndSignal, listener: (signal: EndSignal) => void): unknown;
    off(signal: EndSignal, listener: (signal: EndSignal) => void): unknown;
  };
  /** Ends the process at once, whatever is under way. */
  exitNow(code: number): void;
  /** What the process ends with when the command does not fail: 0, or 2 for a plan that has changes. */
  exitCode: number;
}

export type EndSignal = 'SIGINT' | 'SIGTERM';

/** The flag that every command has. */
export interface JsonFlag {
  readonly json?: true;
}

export const JSON_OPTION = ['--json', 'answer with one JSON document on stdout'] as const;

/** Prints the answer of a command: `document` with --json, else `text`. */
export function answer(terminal: Terminal, { json }: JsonFlag, document: object, text: string): void {
  terminal.out(json === true ? `${JSON.stringify(document)}\n` : text === '' ? '' : `${text}\n`);
}

/** Rows as aligned columns, two spaces between. The last column is as wide as it is. */
export function columns(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  return rows.map((row) => `${indent}${line(row)}`.trimEnd()).join('\n');
}
