import { expect, test, vi } from 'vitest';
import { runProgram } from '../../processors/cli/program.ts';
import { RecordingTerminal } from '../harness/recording-terminal.ts';

const ARGUMENTS = ['simulate', '--customers', '20', '--json'];

/** A simulation that has begun to listen for signals. */
async function started(
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly terminal: RecordingTerminal; readonly ended: Promise<number> }> {
  const terminal = new RecordingTerminal({ KIZUNA_HTTP_PORT: '0', ...environment });
  const ended = runProgram(ARGUMENTS, terminal);
  await vi.waitUntil(() => terminal.signals.listenerCount('SIGINT') > 0, 15_000);
  return { terminal, ended };
}

test('a simulation ends with its summary at Ctrl-C, which arrives twice under npm', async () => {
  const { terminal, ended } = await started();
  terminal.signal('SIGINT');
  terminal.signal('SIGINT');
  expect(await ended).toBe(0);
  expect(JSON.parse(terminal.stdout)).toMatchObject({ services: [] });
  expect(terminal.cutShort).toEqual([]);
  expect(terminal.signals.eventNames()).toEqual([]);
});

test('the end of a simulation is cut short by a second signal', async () => {
  const { terminal, ended } = await started();
  terminal.signal('SIGINT');
  terminal.signal('SIGTERM');
  expect(terminal.cutShort).toEqual([1]);
  expect(terminal.logged('stopped before everything was finished')).toMatchObject({ by: 'a second signal' });
  await ended;
});
