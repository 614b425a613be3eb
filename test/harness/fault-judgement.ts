import { expect } from 'vitest';
import { compareWithReplay } from './against-replay.ts';
import { runCommand, type KizunaProcess } from './kizuna-process.ts';
import { accountsOf, scrape } from './metrics-text.ts';
import type { PipelinePlace } from './pipeline-place.ts';
import { kafkaClient } from './service-clients.ts';
import type { ShopInput } from './shop-input.ts';
import { untilFolded } from './topic-records.ts';
import { waitUntil } from './wait-until.ts';

/** Conservation, as far as a process that is alive tells: nothing is counted in that is not counted out. Answers how many records. */
export async function expectConserved({ url }: Pick<KizunaProcess, 'url'>): Promise<number> {
  const accounts = Object.values(accountsOf(await scrape(url)));
  expect(accounts.map(({ missing }) => missing)).toEqual(accounts.map(() => 0));
  return accounts.reduce((sum, { consumed }) => sum + consumed, 0);
}

/**
 * The judgement on every fault. Once all input is sent, what runs folds it to the end and stops cleanly, time passes to the
 * end of the input, and then every document, every output (repeats dropped by position) and every dead letter is that of an
 * offline fold: nothing lost, nothing twice.
 */
export async function expectSameAsReplay(
  place: PipelinePlace,
  input: ShopInput,
  running: readonly KizunaProcess[],
  withinMs = 60_000,
): Promise<void> {
  const failed = Promise.race(running.map((process) => process.failed));
  await untilFolded(place, input.records.length, { withinMs, failed });
  for (const process of running) await expectConserved(process);
  expect(await Promise.all(running.map((process) => process.stop()))).toEqual(running.map(() => 0));
  await untilNobodyIsLeft(place);
  await runCommand(['sweep', '--until', new Date(input.until).toISOString()], place.environment);
  const { differences, repeats } = await compareWithReplay(place, input);
  expect(differences).toEqual([]);
  process.stdout.write(`${repeats} outputs were published again and dropped by position\n`);
}

/** A join whose answer was lost leaves a member behind that nobody knows of, until its session is over. */
export async function untilNobodyIsLeft(place: PipelinePlace): Promise<void> {
  const admin = kafkaClient(place.kafkaBrokers).admin();
  await admin.connect();
  try {
    const names = ['intake', 'customer', 'touchpoint', 'experiment', 'brand'];
    const groups = names.map((name) => `${place.prefix}kizuna.${name}.v1`);
    const look = async (): Promise<true | undefined> => {
      const described = await admin.describeGroups(groups);
      return described.groups.every(({ members }) => members.length === 0) ? true : undefined;
    };
    await waitUntil('groups without members', look, { withinMs: 60_000 });
  } finally {
    await admin.disconnect();
  }
}
