import type { DefinitionsDiff } from './definitions-diff.ts';
import type { CustomerCount, SegmentDiff } from './membership-diff.ts';
import { columns } from './terminal.ts';

/** For a person: a row for each segment, then some of those who would move. */
export function diffText(diff: DefinitionsDiff): string {
  const { segments, from, to, at, stored, evaluated, isSample, ofOtherDefinitions } = diff;
  const changed = segments.filter(isChanged);
  const lines = [
    changed.length === 0
      ? `Nobody would enter or leave a segment: ${from} → ${to}`
      : `${changed.length} of ${segments.length} segments would change: ${from} → ${to}`,
    `as of ${at}, ${evaluated} customers evaluated of ${stored} stored documents`,
  ];
  if (isSample) lines.push('a sample: what is told is estimated, with intervals of 95 percent');
  if (ofOtherDefinitions > 0)
    lines.push(`${ofOtherDefinitions} were last evaluated under neither set: taken as they were last published`);
  if (segments.length > 0) {
    const head = ['brand', 'segment', 'enter', 'leave', 'stay'];
    const rows = segments.map(({ brand, segment, enter, leave, stay }) => [
      ...[brand, segment, countText(enter), countText(leave), countText(stay)],
    ]);
    lines.push('', columns([head, ...rows]));
  }
  for (const { brand, segment, entering, leaving } of changed) {
    lines.push('', `${brand} ${segment}`);
    if (entering.length > 0) lines.push(`  would enter  ${entering.join(' ')}`);
    if (leaving.length > 0) lines.push(`  would leave  ${leaving.join(' ')}`);
  }
  return lines.join('\n');
}

function isChanged({ enter, leave }: SegmentDiff): boolean {
  return enter.customers + leave.customers > 0;
}

function countText({ customers, low, high }: CustomerCount): string {
  return low === high ? String(customers) : `${customers} (${low} to ${high})`;
}
