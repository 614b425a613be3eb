import { TOPICS, type Topic } from './catalog.ts';

/** One thing that a user of the brokers must be allowed. Names with prefix. */
export interface Right {
  readonly resource: 'topic' | 'group';
  readonly name: string;
  /** Every name that begins so. */
  readonly isPrefix: boolean;
  readonly operation: 'Read' | 'Write' | 'Delete';
}

/** What the name of every group begins with. */
const GROUPS = 'kizuna.';

/**
 * The least that processes need which run every processor; each of these operations includes seeing the topic or group. The
 * purge deletes records of internal topics.
 */
export function rightsOfProcesses(topics: readonly Topic[], prefix: string): Right[] {
  const rights: Right[] = [{ resource: 'group', name: prefix + GROUPS, isPrefix: true, operation: 'Read' }];
  for (const { name, role, readers, writers } of topics) {
    const right = { resource: 'topic', name: prefix + name, isPrefix: false } as const;
    if (readers.length > 0) rights.push({ ...right, operation: 'Read' });
    if (writers.length > 0) rights.push({ ...right, operation: 'Write' });
    if (role === 'internal') rights.push({ ...right, operation: 'Delete' });
  }
  return rights;
}

/** The same as commands for the shell, a line for each topic or group, as the README shows them. */
export function renderRights(): string {
  const lines = new Map<string, string[]>();
  for (const { resource, name, isPrefix, operation } of rightsOfProcesses(TOPICS, '')) {
    const target = `--${resource} ${name}${isPrefix ? ' --resource-pattern-type prefixed' : ''}`;
    lines.set(target, [...(lines.get(target) ?? []), `--operation ${operation}`]);
  }
  const allow =
    'allow() { kafka-acls.sh --bootstrap-server "$KIZUNA_KAFKA_BROKERS" --command-config admin.properties --add --allow-principal User:kizuna "$@"; }';
  const commands = Array.from(lines, ([target, operations]) => `allow ${target} ${operations.join(' ')}`);
  return ['```sh', allow, ...commands, '```'].join('\n');
}
