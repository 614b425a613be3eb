import type { Processor } from '../core/processor.ts';
import { StatefulMember } from './consume-stateful.ts';
import { StatelessMember } from './consume-stateless.ts';
import type { Consumption } from './consumption.ts';
import type { PipelinePorts } from './pipeline-ports.ts';

/** Joins the processor's group and folds whatever arrives until it is stopped. */
export async function consume(processor: Processor, ports: PipelinePorts): Promise<Consumption> {
  const member =
    processor.kind === 'stateful' ? new StatefulMember(processor, ports) : new StatelessMember(processor, ports);
  await member.join();
  return member;
}
