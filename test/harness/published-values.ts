import type avro from 'avsc';
import { ByteWriter } from '../../processors/core/packing.ts';
import { PackedValue } from '../../processors/core/processor.ts';
import type { CompiledSegment } from '../../processors/customer/brand-rules.ts';
import type { FeatureValue } from '../../processors/customer/features.ts';
import type { Evidence } from '../../schemas/types.ts';
import { compileWrite } from '../../schemas/writing.ts';
import { topicOf } from '../../topics/catalog.ts';
import { typeOf } from './avro-values.ts';

/** A value as it is published, as an object again: a processor may pack it, or a part of it, itself. */
export function published(topic: string, value: object): object {
  const type = typeOf(topicOf(topic).schema ?? '');
  if (value instanceof PackedValue) return type.fromBuffer(value.bytes) as object;
  const writer = new ByteWriter();
  compileWrite(type, null)?.(value, writer);
  return type.fromBuffer(writer.copy()) as object;
}

/** The evidence of a segment's rule, decided by it and read by the schema of what is published. */
export function evidenceOf(
  segment: CompiledSegment,
  values: readonly FeatureValue[],
  members: Uint8Array = new Uint8Array(),
): Evidence[] {
  const writer = new ByteWriter();
  segment.packEvidence(values, members, segment.matches(values, members), writer);
  const changes = fieldType(typeOf('SegmentMembershipsChanged'), 'changes') as avro.types.ArrayType;
  return fieldType(changes.itemsType, 'evidence').fromBuffer(writer.copy()) as Evidence[];
}

function fieldType(type: avro.Type, name: string): avro.Type {
  return (type as avro.types.RecordType).field(name).type;
}
