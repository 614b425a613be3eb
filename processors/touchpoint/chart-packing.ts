import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Baseline, Learning } from './baseline.ts';
import type { ComplaintChart } from './complaint-chart.ts';
import { CHART_NAMES, newCharts, type Chart, type Charts, type Run } from './charts.ts';

/** What is learnt from before there is a baseline, and the baseline with its charts after that. */
export function packCharts({ learning, baseline, subgroup, charts }: Charts, writer: ByteWriter): void {
  writer.byte(baseline === null ? 0 : 1);
  if (baseline === null) {
    packLearning(learning, writer);
    return;
  }
  packBaseline(baseline, writer);
  packRun(subgroup, writer);
  for (const name of CHART_NAMES) packChart(charts[name], writer);
}

export function unpackCharts(reader: ByteReader): Charts {
  const charts = newCharts();
  if (reader.byte() === 0) {
    charts.learning = unpackLearning(reader);
    return charts;
  }
  charts.baseline = unpackBaseline(reader);
  charts.subgroup = unpackRun(reader);
  for (const name of CHART_NAMES) charts.charts[name] = unpackChart(reader);
  return charts;
}

export function packComplaintChart({ since, learnt, baseline, raisedAt }: ComplaintChart, writer: ByteWriter): void {
  writer.uint(since + 1);
  writer.uint(learnt);
  writer.uint(raisedAt + 1);
  writer.byte(baseline === null ? 0 : 1);
  if (baseline === null) return;
  for (const each of [baseline.complaints, baseline.since, baseline.frozenAt, baseline.limit]) writer.uint(each);
  for (const each of [baseline.expected, baseline.chance]) writer.double(each);
}

export function unpackComplaintChart(reader: ByteReader): ComplaintChart {
  const [since, learnt, raisedAt] = [reader.uint() - 1, reader.uint(), reader.uint() - 1];
  if (reader.byte() === 0) return { since, learnt, baseline: null, raisedAt };
  const [complaints, learntSince, frozenAt, limit] = [reader.uint(), reader.uint(), reader.uint(), reader.uint()];
  const [expected, chance] = [reader.double(), reader.double()];
  return { since, learnt, baseline: { complaints, since: learntSince, frozenAt, limit, expected, chance }, raisedAt };
}

function packLearning({ answers, units, squares, dissatisfied, since }: Learning, writer: ByteWriter): void {
  for (const each of [answers, units, squares, dissatisfied, since]) writer.uint(each);
}

function unpackLearning(reader: ByteReader): Learning {
  const [answers, units, squares] = [reader.uint(), reader.uint(), reader.uint()];
  return { answers, units, squares, dissatisfied: reader.uint(), since: reader.uint() };
}

function packBaseline(baseline: Baseline, writer: ByteWriter): void {
  const { answers, mean, deviation, dissatisfiedShare, since, frozenAt, bernoulli } = baseline;
  writer.uint(answers);
  for (const each of [mean, deviation, dissatisfiedShare]) writer.double(each);
  writer.uint(since);
  writer.uint(frozenAt);
  writer.uint(bernoulli?.m ?? 0);
  if (bernoulli === null) return;
  writer.uint(bernoulli.limit);
  writer.double(bernoulli.runLength);
}

function unpackBaseline(reader: ByteReader): Baseline {
  const answers = reader.uint();
  const [mean, deviation, dissatisfiedShare] = [reader.double(), reader.double(), reader.double()];
  const [since, frozenAt, m] = [reader.uint(), reader.uint(), reader.uint()];
  const bernoulli = m === 0 ? null : { m, limit: reader.uint(), runLength: reader.double() };
  return { answers, mean, deviation, dissatisfiedShare, since, frozenAt, bernoulli };
}

function packChart({ statistic, raisedAt, isBetter, run }: Chart, writer: ByteWriter): void {
  writer.double(statistic);
  writer.uint(raisedAt + 1);
  writer.byte(isBetter ? 1 : 0);
  packRun(run, writer);
}

function unpackChart(reader: ByteReader): Chart {
  const [statistic, raisedAt, isBetter] = [reader.double(), reader.uint() - 1, reader.byte() === 1];
  return { statistic, raisedAt, isBetter, run: unpackRun(reader) };
}

function packRun({ answers, units, dissatisfied, since }: Run, writer: ByteWriter): void {
  for (const each of [answers, units, dissatisfied, since]) writer.uint(each);
}

function unpackRun(reader: ByteReader): Run {
  return { answers: reader.uint(), units: reader.uint(), dissatisfied: reader.uint(), since: reader.uint() };
}
