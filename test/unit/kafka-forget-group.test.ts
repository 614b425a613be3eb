import { expect, test } from 'vitest';
import { forgetGroup } from '../../processors/runtime/kafka/forget-group.ts';
import type { KafkaAdmin } from '../../processors/runtime/kafka/kafka-admin.ts';

/** As kafkajs throws when a broker refuses to delete a group. */
function refusing(type: string): KafkaAdmin {
  const error = Object.assign(new Error(`the broker said ${type}`), { name: 'KafkaJSProtocolError', type });
  const refusal = Object.assign(new Error('could not delete'), { groups: [{ groupId: 'g', error }] });
  const admin = { deleteGroups: () => Promise.reject(refusal) };
  return { connected: () => Promise.resolve(admin) } as unknown as KafkaAdmin;
}

test('without the right to delete it the group and the missing ACL are named', async () => {
  await expect(forgetGroup(refusing('GROUP_AUTHORIZATION_FAILED'), 'kizuna.erasure-read.1')).rejects.toMatchObject({
    ...{ code: 'log_unavailable', retriable: false },
    message: expect.stringMatching(/could not delete the group kizuna\.erasure-read\.1: .*an ACL is missing/) as string,
  });
});

test('one that is gone already is deleted', async () => {
  await expect(forgetGroup(refusing('GROUP_ID_NOT_FOUND'), 'kizuna.erasure-read.1')).resolves.toBeUndefined();
});
