import { runProgram } from '../../processors/cli/program.ts';
import { RecordingTerminal } from './recording-terminal.ts';
import { waitUntil } from './wait-until.ts';

/** `kizuna run` in this process, with everything that it says. */
export interface RunningCommand {
  readonly terminal: RecordingTerminal;
  /** Where its metrics are. */
  readonly url: string;
  /** Rejects when it ends before it is stopped. */
  readonly failed: Promise<never>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
}

/** Starts it and resolves when it says that it runs. */
export async function startRun(environment: Readonly<Record<string, string>>): Promise<RunningCommand> {
  const terminal = new RecordingTerminal(environment);
  const ended = runProgram(['run'], terminal);
  let isWanted = true;
  const failed = ended.then((code) => {
    if (isWanted) throw new Error(`kizuna run ended by itself with ${code}:\n${terminal.stderr.slice(-3_000)}`);
    return new Promise<never>(() => undefined);
  });
  failed.catch(() => undefined);
  const running = await waitUntil('kizuna run runs', () => terminal.logged('running'), { withinMs: 60_000, failed });
  return {
    terminal,
    url: String(running['url']),
    failed,
    stop: () => {
      isWanted = false;
      terminal.signal('SIGTERM');
      return ended;
    },
  };
}
