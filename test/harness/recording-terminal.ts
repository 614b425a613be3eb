import { EventEmitter } from 'node:events';
import { runProgram } from '../../processors/cli/program.ts';
import type { Terminal } from '../../processors/cli/terminal.ts';

/** A terminal that only remembers: commands run in this process, without a program of their own. */
export class RecordingTerminal implements Terminal {
  stdout = '';
  stderr = '';
  exitCode = 0;
  /** Codes of the ends that did not wait for anything. */
  readonly cutShort: number[] = [];
  readonly signals = new EventEmitter();
  readonly environment: Readonly<Record<string, string | undefined>>;

  constructor(environment: Readonly<Record<string, string | undefined>> = {}) {
    this.environment = environment;
  }

  out(text: string): void {
    this.stdout += text;
  }
  err(text: string): void {
    this.stderr += text;
  }
  exitNow(code: number): void {
    this.cutShort.push(code);
  }
  signal(name: 'SIGINT' | 'SIGTERM'): void {
    this.signals.emit(name, name);
  }
  /** The fields of the first log line with this message. */
  logged(message: string): Record<string, unknown> | undefined {
    const lines = this.stderr.split('\n').filter((line) => line.startsWith('{'));
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((fields) => fields['message'] === message);
  }
}

export interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process; arguments are parted by single spaces. */
export async function kizuna(
  line: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<CommandEnd> {
  const terminal = new RecordingTerminal(environment);
  const code = await runProgram(line === '' ? [] : line.split(' '), terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}
