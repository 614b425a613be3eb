import { afterEach, describe, expect, test, vi } from 'vitest';
import { Ending } from '../../processors/cli/ending.ts';
import { runProgram } from '../../processors/cli/program.ts';
import { kizuna, RecordingTerminal } from '../harness/recording-terminal.ts';
import { silentLog } from '../harness/runtime-fixture.ts';

const ADDRESSES = {
  KIZUNA_KAFKA_BROKERS: 'kafka:9092',
  KIZUNA_MONGODB_URI: 'mongodb://db/',
  KIZUNA_SCHEMA_REGISTRY_URL: 'http://registry',
};

describe('kizuna run --embedded', () => {
  test('serves until the first signal, then ends with 0', async () => {
    const terminal = new RecordingTerminal({ KIZUNA_HTTP_PORT: '0' });
    const ended = runProgram(['run', 'customer', '--embedded', '--json'], terminal);
    const running = await vi.waitUntil(() => terminal.logged('running'), 15_000);
    const ready = await fetch(`${String(running['url'])}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ ready: true })]);
    const live = (await (await fetch(`${String(running['url'])}/livez`)).json()) as { consumers: object };
    expect(Object.keys(live.consumers)).toEqual(['customer']);
    terminal.signal('SIGTERM');
    expect(await ended).toBe(0);
    expect(terminal.logged('stopping')).toMatchObject({ signal: 'SIGTERM' });
    expect(JSON.parse(terminal.stdout)).toMatchObject({ stopped: true });
    expect(terminal.cutShort).toEqual([]);
    expect(terminal.signals.eventNames()).toEqual([]);
  });

  test('cannot start where somebody else listens: a fault of the configuration', async () => {
    const first = new RecordingTerminal({ KIZUNA_HTTP_PORT: '0' });
    const ended = runProgram(['run', '--embedded'], first);
    const running = await vi.waitUntil(() => first.logged('running'), 15_000);
    const { port } = new URL(String(running['url']));
    const second = await kizuna('run --embedded', { KIZUNA_HTTP_PORT: port });
    expect(second.code).toBe(2);
    expect(second.stderr).toContain('KIZUNA_HTTP_HOST, KIZUNA_HTTP_PORT: cannot listen');
    first.signal('SIGINT');
    expect(await ended).toBe(0);
  });

  test('does not go with addresses', async () => {
    const { code, stderr } = await kizuna('run --embedded', ADDRESSES);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^KIZUNA_KAFKA_BROKERS: .*--embedded/);
  });
});

describe('the end of a process', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is asked for by the first signal and cut short by the second', async () => {
    const terminal = new RecordingTerminal();
    using ending = new Ending(terminal, 60_000, silentLog);
    terminal.signal('SIGTERM');
    expect(await ending.requested).toBe('SIGTERM');
    expect(terminal.cutShort).toEqual([]);
    terminal.signal('SIGINT');
    expect(terminal.cutShort).toEqual([1]);
  });

  test('is asked for once when Ctrl-C arrives twice within moments, and cut short when it is pressed again', async () => {
    vi.useFakeTimers();
    const terminal = new RecordingTerminal();
    using ending = new Ending(terminal, 60_000, silentLog);
    terminal.signal('SIGINT');
    expect(await ending.requested).toBe('SIGINT');
    terminal.signal('SIGINT');
    vi.advanceTimersByTime(499);
    terminal.signal('SIGINT');
    expect(terminal.cutShort).toEqual([]);
    vi.advanceTimersByTime(1);
    terminal.signal('SIGINT');
    expect(terminal.cutShort).toEqual([1]);
  });

  test.each([
    ['a signal', (terminal: RecordingTerminal) => terminal.signal('SIGTERM')],
    ['a failure', (_: RecordingTerminal, ending: Ending) => ending.begin()],
  ])('that %s began has a deadline', (_cause, begin) => {
    vi.useFakeTimers();
    const terminal = new RecordingTerminal();
    using ending = new Ending(terminal, 15_000, silentLog);
    begin(terminal, ending);
    ending.begin();
    vi.advanceTimersByTime(14_999);
    expect(terminal.cutShort).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(terminal.cutShort).toEqual([1]);
  });

  test('that is over in time is not cut short', () => {
    vi.useFakeTimers();
    const terminal = new RecordingTerminal();
    {
      using ending = new Ending(terminal, 15_000, silentLog);
      ending.begin();
    }
    vi.advanceTimersByTime(60_000);
    expect(terminal.cutShort).toEqual([]);
  });
});
