import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Summary } from '../core/processor.ts';
import { packCharts, packComplaintChart, unpackCharts, unpackComplaintChart } from './chart-packing.ts';
import { CHART_NAMES } from './charts.ts';
import { RecentEvents } from './recent-events.ts';
import { MEASURES, measuresOf, seriesOf, type MeasureState, type ScoreState } from './score-state.ts';
import { readBundle, writeBundle } from './series-packing.ts';

/** The summary's part comes first. */
export function packScores(state: ScoreState, writer: ByteWriter): void {
  writer.uint(openAlerts(state));
  writer.uint(state.measures.reduce((bits, measure, index) => bits | (measure === null ? 0 : 1 << index), 0));
  for (const [, { counted }] of measuresOf(state)) for (const count of counted) writer.uint(count);
  writer.uint(state.publishedAt + 1);
  writer.byte(state.mustPublish ? 1 : 0);
  writer.uint(state.leavesAt === NEVER ? 0 : state.leavesAt);
  writeBundle(state.complaints, writer);
  packComplaintChart(state.complaintChart, writer);
  for (const [, { answers, charts }] of measuresOf(state)) {
    writeBundle(answers, writer);
    packCharts(charts, writer);
  }
  state.recent.write(writer);
}

/** Before version 3 there was no chart of complaints. */
export function unpackScores(state: ScoreState, bytes: Buffer, reader: ByteReader, version: number): void {
  reader.uint();
  const present = reader.uint();
  const counted = MEASURES.map((_, index): MeasureState['counted'] =>
    (present & (1 << index)) === 0 ? [0, 0, 0] : [reader.uint(), reader.uint(), reader.uint()],
  );
  state.publishedAt = reader.uint() - 1;
  state.mustPublish = reader.byte() === 1;
  state.leavesAt = reader.uint() || NEVER;
  state.complaints = readBundle(1, bytes, reader);
  if (version >= 3) state.complaintChart = unpackComplaintChart(reader);
  for (const [index, measure] of MEASURES.entries()) {
    const counts = counted[index];
    if (counts === undefined || (present & (1 << index)) === 0) continue;
    const answers = readBundle(seriesOf(measure), bytes, reader);
    state.measures[index] = { answers, charts: unpackCharts(reader), counted: counts };
  }
  state.recent = RecentEvents.read(reader);
}

export function summarizeScores(reader: ByteReader): Summary {
  const alerts = reader.uint();
  const present = reader.uint();
  const scores = MEASURES.filter((_, index) => (present & (1 << index)) !== 0).map((measure) => {
    return { metric: measure, satisfied: reader.uint(), neutral: reader.uint(), dissatisfied: reader.uint() };
  });
  return { kind: 'scores', alerts, last30d: scores };
}

function openAlerts(state: ScoreState): number {
  let open = state.complaintChart.raisedAt >= 0 ? 1 : 0;
  for (const [, { charts }] of measuresOf(state)) {
    for (const name of CHART_NAMES) if (charts.charts[name].raisedAt >= 0) open += 1;
  }
  return open;
}
