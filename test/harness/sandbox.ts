import { describe, inject } from 'vitest';
import { placeOn, type Place } from './place.ts';
import './vitest-services.ts';

/** One test file's own place on services that all files share. */
export type Sandbox = Place & AsyncDisposable;

/** As vitest's describe, and skipped as a whole when this machine cannot run the services. */
export const describeWithServices = describe.skipIf(inject('kizunaServices') === null);

/** A new place named after `name`: letters, digits and hyphens. Only inside describeWithServices. */
export function sandbox(name: string): Sandbox {
  const services = inject('kizunaServices');
  if (services === null) throw new Error('a sandbox needs the services: use it inside describeWithServices');
  const place = placeOn(services, name);
  return { ...place, [Symbol.asyncDispose]: place.cleanup };
}
