import type { TestProject } from 'vitest/node';
import { servicesOrSkip, type ServiceAddresses, type Services } from './services.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** null: the machine cannot run them; said loudly when the run began. */
    kizunaServices: ServiceAddresses | null;
  }
}

// Every vitest project that names this file gets an instance of it of its own; the services are one set for the run.
interface Run {
  users: number;
  services: Promise<Services | undefined>;
}
const KEY = Symbol.for('kizuna.test.services');
const runs = globalThis as { [KEY]?: Run };

/** vitest globalSetup: the services start once for a run, before its first test that needs them, and stop after its last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = (runs[KEY] ??= { users: 0, services: servicesOrSkip() });
  run.users += 1;
  const services = await run.services;
  const { kafkaBrokers, mongodbUri, schemaRegistryUrl } = services ?? {};
  project.provide(
    'kizunaServices',
    kafkaBrokers && mongodbUri && schemaRegistryUrl ? { kafkaBrokers, mongodbUri, schemaRegistryUrl } : null,
  );
  return async () => {
    run.users -= 1;
    if (run.users > 0) return;
    delete runs[KEY];
    await services?.stop();
  };
}
