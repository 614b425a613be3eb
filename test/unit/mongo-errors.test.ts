// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- the driver's own errors are what is classified
import {
  BSON,
  MongoClientClosedError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoServerClosedError,
  MongoServerError,
} from 'mongodb';
import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../processors/core/errors.ts';
import { loggable, toPipelineError } from '../../processors/runtime/mongo/mongo-errors.ts';

const server = (code: number, message = 'says no') => new MongoServerError({ message, errmsg: message, code });

describe('what a driver error means', () => {
  test.each<[string, unknown, string, boolean]>([
    ['a lost connection', new MongoNetworkError('lost'), 'store_unavailable', true],
    ['an election', server(10_107), 'store_unavailable', true],
    ['a read that waited too long', server(50), 'store_unavailable', true],
    ['a majority not reached', server(64), 'store_unavailable', true],
    ['a member that left', new MongoServerClosedError('left'), 'store_unavailable', true],
    ['a wrong password', server(18), 'store_unavailable', false],
    ['a missing role', server(13), 'store_unavailable', false],
    ['our own close', new MongoClientClosedError(), 'store_unavailable', false],
    ['a malformed request', server(2), 'invariant_broken', false],
    ['a document that is too large', server(10_334), 'invariant_broken', false],
    ['an argument the driver refuses', new MongoInvalidArgumentError('no'), 'invariant_broken', false],
    ['a bug of ours', new TypeError('undefined'), 'invariant_broken', false],
    ['bytes that are no document', new BSON.BSONError('bad'), 'store_unreadable', false],
  ])('%s', (_title, error, code, retriable) => {
    const failure = toPipelineError(error, 'documents_load');
    expect(failure).toMatchObject({ code, retriable, cause: error });
    expect(failure.message).toContain('documents_load');
  });

  test('a missing role is told by what was tried on what, without what the command carried', () => {
    const command = '{ insert: "customer.v1.journal", documents: [ { _id: "demo|u:ada" } ], lsid: { id: UUID("1") } }';
    const refused = server(13, `not authorized on kizuna to execute command ${command}`);
    expect(toPipelineError(refused, 'journal_write').message).toBe(
      'MongoDB does not allow this user to insert on kizuna.customer.v1.journal, a role is missing: journal_write',
    );
    expect(toPipelineError(server(13), 'ping').message).toMatch(
      /allow this user to something, a role is missing: ping$/,
    );
  });

  test('a login or a certificate that is refused is told with the setting', () => {
    expect(toPipelineError(server(18), 'open').message).toMatch(
      /refuses the login \(.* in KIZUNA_MONGODB_URI\): open$/,
    );
    const certificate = Object.assign(new Error('self-signed'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    const lost = new MongoNetworkError('self-signed', { cause: certificate });
    expect(toPipelineError(lost, 'open')).toMatchObject({
      message: expect.stringMatching(/tlsCAFile in KIZUNA_MONGODB_URI.*SELF_SIGNED_CERT_IN_CHAIN: open$/) as string,
      retriable: false,
    });
  });

  test('one that is classified already stays as it is', () => {
    const lost = new PipelineError('ownership_lost', 'lost', { retriable: true });
    expect(toPipelineError(lost, 'journal_write')).toBe(lost);
  });
});

describe('what is logged of a failure', () => {
  test('an address, but never what a server quotes', () => {
    expect(loggable(new MongoNetworkError('connect ECONNREFUSED 127.0.0.1:1'))).toEqual({
      ...{ code: 'store_unavailable', reason: 'connect ECONNREFUSED 127.0.0.1:1' },
    });
    const quoting = server(11_000, 'dup key: { _id: "demo|u:someone" }');
    expect(loggable(quoting)).toEqual({ code: 'store_unavailable', reason: 'MongoServerError 11000' });
  });
});
