import type { Command } from 'commander';
import { explanationAnswer, profileAnswer } from '../api/answers.ts';
import { ConfigurationError } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';
import type { Instant } from '../core/processor.ts';
import type { Inspection } from '../customer/inspect.ts';
import { loadConfig } from '../runtime/config.ts';
import { addCustomerHistory } from './customer-history.ts';
import { loadCustomer } from './customer-stored.ts';
import { profileText, segmentText } from './customer-text.ts';
import { timeText } from './dlq-text.ts';
import { parseInstant } from './replay.ts';
import { answer, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

interface CustomerFlags extends JsonFlag {
  readonly at?: Instant;
}

const ABOUT =
  '\nA customer is u: and a user id, e: and a hash of an e-mail address, or a: and an anonymous id; without one of these,\n' +
  'each is tried. Read from the stored document, which follows the topics by a second or so, longer under load; silence up\n' +
  'to --at is applied to a copy, and nothing is changed.\n';

export function addCustomer(program: Command, terminal: Terminal): void {
  const customer = program.command('customer').description('look at one customer');
  customer
    .command('show')
    .description('show the profile that segment rules see')
    .argument('<brand>')
    .argument('<customer>')
    .option('--at <time>', 'as of then, if nothing happens (ISO 8601 with a zone; default: now)', parseInstant)
    .option(...JSON_OPTION)
    .addHelpText('after', `${ABOUT}\nExample:\n  $ kizuna customer show demo u:42`)
    .action(async (brand: string, id: string, flags: CustomerFlags) => {
      const { key, at, inspection } = await look(brand, id, flags, terminal);
      answer(terminal, flags, profileAnswer({ key, at }, inspection), profileText(key, at, inspection));
    });
  customer
    .command('explain')
    .description('tell why the customer is in a segment or not, and when silence will change it')
    .argument('<brand>')
    .argument('<customer>')
    .argument('[segment...]', 'which ones (default: all of the brand)')
    .option('--at <time>', 'as of then, if nothing happens (ISO 8601 with a zone; default: now)', parseInstant)
    .option(...JSON_OPTION)
    .addHelpText('after', `${ABOUT}\nExample:\n  $ kizuna customer explain demo u:42 lapsing-buyers`)
    .action(async (brand: string, id: string, wanted: readonly string[], flags: CustomerFlags) => {
      const { key, at, inspection } = await look(brand, id, flags, terminal);
      const segments = chosen(inspection, wanted, brand);
      const document = explanationAnswer({ key, at }, inspection, segments);
      answer(terminal, flags, document, segments.map(segmentText).join('\n\n'));
    });
  addCustomerHistory(customer, terminal);
}

async function look(
  brand: string,
  id: string,
  flags: CustomerFlags,
  terminal: Terminal,
): Promise<{ key: string; at: Instant; inspection: Inspection }> {
  const { key, state, customer, asOf, linkedFrom } = await loadCustomer(loadConfig(terminal.environment), brand, id);
  if (linkedFrom.length > 0) terminal.err(`${[...linkedFrom, key].join(' is part of ')}\n`);
  // Records may be stamped a little ahead of this machine's clock.
  const at = flags.at ?? Math.max(Date.now(), asOf);
  if (at < asOf) {
    const message = `is before the last change of ${key}, ${timeText(asOf)}: \`kizuna customer history\` tells what was then`;
    throw new ConfigurationError([{ where: '--at', message }]);
  }
  return { key, at, inspection: customer.inspect(state, at) };
}

function chosen({ segments }: Inspection, wanted: readonly string[], brand: string): Inspection['segments'] {
  if (wanted.length === 0) return segments;
  const ids = segments.map(({ segmentId }) => segmentId);
  const unknown = wanted.filter((id) => !ids.includes(id));
  if (unknown.length > 0) {
    const faults = unknown.map((id) => {
      return { where: `segment ${id}`, message: `is not defined for brand ${brand}${suggestion(id, ids)}` };
    });
    throw new ConfigurationError(faults);
  }
  return segments.filter(({ segmentId }) => wanted.includes(segmentId));
}
