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
    ['POLICY_VIOLATION', false],
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

  it.each<[string, object, string, boolean]>([
    [
      'a missing rule',
      { type: 'TOPIC_AUTHORIZATION_FAILED' },
      'TOPIC_AUTHORIZATION_FAILED: .*an ACL is missing',
      false,
    ],
    ['a wrong password', { name: 'KafkaJSSASLAuthenticationError' }, 'KIZUNA_KAFKA_SASL_PASSWORD', false],
    ['a mechanism they do not have', { type: 'UNSUPPORTED_SASL_MECHANISM' }, 'KIZUNA_KAFKA_SASL_MECHANISM', false],
    ['a certificate nobody signed', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'KIZUNA_KAFKA_SSL_CA', false],
    ['a certificate of another', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'KIZUNA_KAFKA_SSL_CA', false],
    ['a certificate out of date', { code: 'CERT_HAS_EXPIRED' }, 'KIZUNA_KAFKA_SSL_CA', false],
    ['no TLS there', { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'KIZUNA_KAFKA_SSL_ENABLED', false],
    ['no certificate of ours', { message: 'ssl/tls alert bad certificate: x' }, 'KIZUNA_KAFKA_SSL_CERT', false],
    ['a closed door', { message: 'Closed connection' }, 'KIZUNA_KAFKA_SSL_ENABLED', true],
    ['a coordinator that is not told', { name: 'KafkaJSGroupCoordinatorNotFound' }, 'an ACL is missing', true],
  ])('%s is told with what mends it, wrapped or not', (_title, shape, told, retriable) => {
    for (const wrap of [(error: Error) => error, wrapped]) {
      const known = toPipelineError('read t.v1', wrap(Object.assign(new Error('no'), shape)));
      expect(known).toMatchObject({ code: 'log_unavailable', retriable });
      expect(known.message).toMatch(new RegExp(`^could not read t\\.v1: .*${told}`));
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
