import { fit, printable } from './display-width.ts';
import type { TriggerCounts } from './summary.ts';

const NAME_COLUMNS = 20;

const count = (value: number): string => Math.round(value).toLocaleString('en-US').padStart(7);

/** `cart_abandoned         1,204 fired     391 cancelled`, a line for each. */
export function triggerLines(triggers: readonly TriggerCounts[]): string[] {
  return triggers.map(({ trigger, fired, cancelled }) => {
    const taken = cancelled === 0 ? '' : `${count(cancelled)} cancelled`;
    return `  ${fit(printable(trigger), NAME_COLUMNS)} ${count(fired)} fired${taken}`;
  });
}
