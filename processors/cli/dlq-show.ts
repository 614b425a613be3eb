import { toJson } from '../../schemas/json.ts';
import type { RecordName } from '../../schemas/types.ts';
import { topicOf } from '../../topics/catalog.ts';
import { PipelineError } from '../core/errors.ts';
import type { Codec } from '../runtime/ports.ts';
import { originalHeaders, placeOf, type Letter } from './dlq-letter.ts';
import type { FoundLetter } from './dlq-scan.ts';
import { printable, timeText } from './dlq-text.ts';
import { columns } from './terminal.ts';

/** How the value reads: as its schema says, or why it does not. */
export type ReadValue =
  | { readonly kind: 'decoded'; readonly schema: string; readonly value: Record<string, unknown> }
  | { readonly kind: 'bytes'; readonly why: string };

const DUMP_BYTES_MAX = 4096;
const DUMP_WIDTH = 16;

/** Reads a letter's value by the schema of the topic it was refused from. A registry that is away only costs the reading. */
export async function readValue(letter: Letter, codec: Pick<Codec, 'learn' | 'decode'>): Promise<ReadValue> {
  const { value } = letter.record;
  if (letter.truncated.includes('value')) return { kind: 'bytes', why: 'it was too large to be kept here' };
  if (value === null) return { kind: 'bytes', why: 'there is no value' };
  if (letter.origin === null) return { kind: 'bytes', why: 'it does not say which topic it came from' };
  const { topic } = letter.origin;
  const { schema } = topicOf(topic);
  if (schema === null) return { kind: 'bytes', why: `${topic} has no schema` };
  try {
    await codec.learn(topic, [value]);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'registry_unavailable') throw error;
    return { kind: 'bytes', why: `the schema registry does not answer: ${error.message}` };
  }
  const decoded = codec.decode(topic, value);
  if (decoded === 'undecodable') return { kind: 'bytes', why: `it is no ${schema} in a Confluent frame` };
  if (decoded === 'unknown_schema') {
    return { kind: 'bytes', why: `the registry has no schema ${value.readUInt32BE(1)} that reads as ${schema}` };
  }
  // Every row of the catalog that has a schema names a generated record.
  return { kind: 'decoded', schema, value: toJson(schema as RecordName, decoded) };
}

/** Everything there is to know about one letter, for a program. */
export function documentOf({ letter, receipt }: FoundLetter, read: ReadValue): object {
  const { origin, record, reason, stage, message, redrives } = letter;
  const { key, value } = record;
  return {
    letter: placeOf(letter),
    time: timeText(letter.time),
    ...{ reason, stage, message, redrives, origin },
    receipt: receipt ?? null,
    headers: textsOf(ownHeaders(letter)),
    originalHeaders: textsOf(originalHeaders(letter)),
    key: key === null ? null : { text: printable(key), hex: key.toString('hex') },
    value: {
      bytes: value?.length ?? 0,
      hex: value?.toString('hex') ?? null,
      ...(read.kind === 'decoded' ? { schema: read.schema, decoded: read.value } : { undecoded: read.why }),
    },
  };
}

/** The same for a person; of a long value that cannot be read only the beginning. */
export function pageOf({ letter, receipt }: FoundLetter, read: ReadValue): string {
  const { value, key } = letter.record;
  const receipts = (receipt?.history ?? []).map(({ status, at, by, note }) => [
    ...[timeText(at), status, `by ${printable(by)}`],
    printable(note),
  ]);
  const body =
    read.kind === 'decoded'
      ? [`value, ${value?.length ?? 0} bytes, as ${read.schema}`, indent(JSON.stringify(read.value, null, 2))]
      : [`value, ${value?.length ?? 0} bytes: ${read.why}`, hexDump(value ?? Buffer.alloc(0))];
  return [
    placeOf(letter),
    columns(
      [
        ['time', timeText(letter.time)],
        ['key', printable(key)],
      ],
      '  ',
    ),
    ...section('headers', rowsOf(ownHeaders(letter))),
    ...section('headers of the refused record', rowsOf(originalHeaders(letter))),
    ...section('done with it', receipts),
    ...body,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** As `hexdump -C`: offset, sixteen bytes, and what of them is ASCII. */
export function hexDump(bytes: Buffer): string {
  const lines: string[] = [];
  const end = Math.min(bytes.length, DUMP_BYTES_MAX);
  for (let at = 0; at < end; at += DUMP_WIDTH) {
    const row = bytes.subarray(at, Math.min(at + DUMP_WIDTH, end));
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(8, '0')}  ${hex.padEnd(DUMP_WIDTH * 3 - 1)}  |${text}|`);
  }
  if (end < bytes.length) lines.push(`  … ${bytes.length - end} more bytes: --json has them all`);
  return lines.join('\n');
}

function ownHeaders({ record }: Letter): Record<string, Buffer | string> {
  const own = Object.entries(record.headers).flatMap(([name, value]): [string, Buffer | string][] => {
    const first = Array.isArray(value) ? value[0] : value;
    return name.startsWith('dlq.header.') || first === undefined ? [] : [[name, first]];
  });
  return Object.fromEntries(own);
}

const textsOf = (headers: Record<string, Buffer | string>): Record<string, string> =>
  Object.fromEntries(rowsOf(headers).map(([name = '', text = '']) => [name, text]));

const rowsOf = (headers: Record<string, Buffer | string>): string[][] =>
  Object.entries(headers).map(([name, value]) => [printable(name), printable(value)]);

const section = (title: string, rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0 ? [] : [title, columns(rows, '  ')];

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
