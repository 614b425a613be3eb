import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { createLog } from '../../processors/runtime/log.ts';

function recorder() {
  const lines: Record<string, unknown>[] = [];
  return { lines, sink: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) } };
}

describe('createLog', () => {
  test('writes one JSON line with time, level, sentence and fields', () => {
    const { lines, sink } = recorder();
    createLog('info', sink).info('joined the group', { partitions: 3 });
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        pid: process.pid,
        message: 'joined the group',
        partitions: 3,
      },
    ]);
  });

  test('leaves out what is less severe than its level', () => {
    const { lines, sink } = recorder();
    const log = createLog('warn', sink);
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((line) => line['message'])).toEqual(['c', 'd']);
  });

  test('lets a child add its fields to every line', () => {
    const { lines, sink } = recorder();
    createLog('info', sink)
      .child({ processor: 'customer' })
      .child({ partition: 2 })
      .warn('store is slow', { seconds: 3 });
    expect(lines[0]).toMatchObject({ processor: 'customer', partition: 2, seconds: 3, message: 'store is slow' });
  });

  test('tells code, message, retriable, stack and causes of an error, and nothing else that it carries', () => {
    const { lines, sink } = recorder();
    const cause = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED', document: { name: 'Ada' } });
    const error = new PipelineError('store_unavailable', 'the store did not answer', { retriable: true, cause });
    createLog('info', sink).error('flush failed', { error });
    expect(lines[0]?.['error']).toEqual({
      code: 'store_unavailable',
      message: 'the store did not answer',
      retriable: true,
      stack: error.stack,
      cause: { code: 'ECONNREFUSED', message: 'connect failed', stack: cause.stack },
    });
  });

  test('leaves out what MongoDB answered, which may quote a customer', () => {
    const { lines, sink } = recorder();
    const answer = Object.assign(new Error('dup key: { _id: "demo|u:ada" }\nand more of u:ada'), {
      ...{ name: 'MongoServerError', code: 11_000, codeName: 'DuplicateKey' },
    });
    const error = new PipelineError('store_unavailable', 'no answer', { retriable: true, cause: answer });
    createLog('info', sink).error('flush failed', { error });
    expect(lines[0]?.['error']).toMatchObject({ cause: { code: 11_000, message: 'MongoServerError DuplicateKey' } });
    expect(JSON.stringify(lines)).not.toContain('ada');
    expect(JSON.stringify(lines)).toMatch(/MongoServerError\\n +at /);
    // The driver's own words name addresses only.
    const lost = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { name: 'MongoNetworkError' });
    createLog('info', sink).error('flush failed', { error: lost });
    expect(lines[1]?.['error']).toMatchObject({ message: 'connect ECONNREFUSED 127.0.0.1:1' });
  });

  test('survives a thrown value that is no error, and a cause that is its own cause', () => {
    const { lines, sink } = recorder();
    const log = createLog('info', sink);
    log.error('crashed', { error: 'text' });
    const loop = new Error('round');
    loop.cause = loop;
    log.error('crashed', { error: loop });
    expect(lines[0]?.['error']).toEqual({ message: 'text' });
    expect(lines).toHaveLength(2);
  });
});
