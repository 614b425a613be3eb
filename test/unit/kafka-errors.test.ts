import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { brokerErrorType, isGroupError, toPipelineError } from '../../processors/runtime/kafka/kafka-errors.ts';

/** As kafkajs throws: a broker's answer, wrapped when its retries were used up. */
function brokerError(type: string): Error {
  return Object.assign(new Error(`the broker said ${type}`), { name: 'KafkaJSProtocolError', type });
}
function wrapped(cause: Error): Error {
  return Object.assign(new Error('retries exceeded', { cause }), { name: 'KafkaJSNumberOfRetriesExceeded' });
}

describe('errors of Kafka', () => {
  it.each([
    ['MESSAGE_TOO_LARGE', false],
    ['TOPIC_AUTHORIZATION_FAILED', false],
    ['SASL_AUTHENTICATION_FAILED', false],
    ['INVALID_TIMESTAMP', false],
    ['NOT_LEADER_FOR_PARTITION', true],
    ['NOT_ENOUGH_REPLICAS', true],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', true],
    ['REQUEST_TIMED_OUT', true],
  ])('%s: waiting helps is %s, wrapped or not', (type, retriable) => {
    for (const error of [brokerError(type), wrapped(brokerError(type)), wrapped(wrapped(brokerError(type)))]) {
      const known = toPipelineError('send records', error);
      expect(known).toMatchObject({ code: 'log_unavailable', retriable, cause: error });
      expect(known.message).toBe(`could not send records: ${type}`);
    }
  });

  it.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])('%s means: join again', (type) => {
    expect(isGroupError(wrapped(brokerError(type)))).toBe(true);
    expect(toPipelineError('commit', brokerError(type))).toMatchObject({ code: 'rebalancing', retriable: true });
  });

  it('a lost connection may come back', () => {
    const lost = Object.assign(new Error('Connection error'), { name: 'KafkaJSConnectionError', code: 'ECONNREFUSED' });
    expect(toPipelineError('connect', lost)).toMatchObject({ code: 'log_unavailable', retriable: true });
    expect(isGroupError(lost)).toBe(false);
  });

  it('a bug stays a bug', () => {
    expect(toPipelineError('send records', new TypeError('x is undefined'))).toMatchObject({
      code: 'invariant_broken',
      retriable: false,
    });
  });

  it('keeps an error that is classified already, and takes anything that is thrown', () => {
    const own = new PipelineError('ownership_lost', 'mine', { retriable: true });
    expect(toPipelineError('commit', own)).toBe(own);
    expect(toPipelineError('commit', 'a string').message).toBe('could not commit: a string');
    expect(toPipelineError('commit', undefined)).toMatchObject({ code: 'log_unavailable' });
  });

  it('does not follow causes that go round in a circle', () => {
    const circle = new Error('round');
    circle.cause = circle;
    expect(brokerErrorType(circle)).toBeUndefined();
  });
});
