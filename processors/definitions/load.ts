import { join } from 'node:path';
import { z } from 'zod';
import type { AffinitySettings } from '../core/affinity-settings.ts';
import type {
  BrandDefinition,
  ChurnModelDefinition,
  Definitions,
  ExperimentDefinition,
  JourneySettings,
  SegmentDefinition,
  SentimentModelDefinition,
  SurveyDefinition,
  TouchpointSettings,
  TriggerSettings,
} from '../core/definitions.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';
import { AffinityFile } from './affinity-shape.ts';
import { contentHash } from './content-hash.ts';
import { experimentFaults, holdoutFaults } from './experiment-file.ts';
import { readDefinitionFiles } from './read-files.ts';
import type { DefinitionFile, Folder } from './read-files.ts';
import { JourneyFile } from './journey-shape.ts';
import { TriggerFile } from './trigger-shape.ts';
import {
  BrandFile,
  ChurnFile,
  ExperimentFile,
  MeasureFile,
  RatioFile,
  SegmentFile,
  SentimentFile,
  SurveyFile,
  TouchpointFile,
} from './shapes.ts';
import { completeSurvey } from './survey-file.ts';

/** The definitions that come with the product: defaults, ten segments, and what the brand `demo` needs. */
export const shippedDefinitions = import.meta.dirname;

/** The gauges of segment members have one series for each. */
const MAX_SEGMENTS = 1_000;
/** Each has gauges of its own, too. */
const MAX_EXPERIMENTS = 50;
const BRAND_ID = /^[a-z0-9-]{1,64}$/;

/**
 * Reads every folder of definitions below a folder; `brands/default.json`, `touchpoints/default.json`, `journeys/default.json` and
 * the models of `sentiment/` are the shipped ones unless the folder has its own. The rules inside the segments are judged by
 * `compileDefinitions`.
 *
 * @throws ConfigurationError with every fault of every file
 */
export async function loadDefinitions(directory: string): Promise<Definitions> {
  const faults: Fault[] = [];
  const files = await readDefinitionFiles(directory, faults);
  const brands = files.brands.flatMap((file) => brandOf(file, faults));
  const segments = files.segments.flatMap((file) => segmentOf(file, faults));
  const measures = files.measures.flatMap((file) => namedFile(MeasureFile, file, faults));
  const ratios = files.ratios.flatMap((file) => namedFile(RatioFile, file, faults));
  const churn = files.churn.flatMap((file) => churnOf(file, faults));
  const surveys = files.surveys.flatMap((file) => surveyOf(file, faults));
  const touchpoints = files.touchpoints.flatMap((file) => touchpointsOf(file, faults));
  const sentiment = files.sentiment.flatMap((file) => sentimentOf(file, faults));
  const experiments = files.experiments.flatMap((file) => experimentOf(file, faults));
  faults.push(...holdoutFaults(experiments));
  const journeys = files.journeys.flatMap((file) => journeyOf(file, faults));
  const triggers = files.triggers.flatMap((file) => triggersOf(file, faults));
  const affinities = files.affinities.flatMap((file): AffinitySettings[] => namedFile(AffinityFile, file, faults));
  if (segments.length > MAX_SEGMENTS)
    faults.push({ where: 'segments/', message: `holds more than ${MAX_SEGMENTS} segments` });
  if (experiments.length > MAX_EXPERIMENTS)
    faults.push({ where: 'experiments/', message: `holds more than ${MAX_EXPERIMENTS} experiments` });
  if (faults.length > 0) throw new ConfigurationError(faults);

  const defaultBrand = brands.find(isDefault) ?? (await shippedDefault('brands', brandOf));
  const models = [...(await shippedSentiment()), ...sentiment];
  const defaultTouchpoints = touchpoints.find(isDefault) ?? (await shippedDefault('touchpoints', touchpointsOf));
  const defaultJourney = journeys.find(isDefault) ?? (await shippedDefault('journeys', journeyOf));
  return {
    brands: new Map(brands.map((brand) => [brand.id, brand])),
    defaultBrand,
    segments,
    measures,
    ratios,
    churn: new Map(churn.map((model) => [model.brandId, model])),
    surveys: new Map(surveys.map((survey) => [survey.id, survey])),
    touchpoints: new Map(touchpoints.map((settings) => [settings.id, settings])),
    defaultTouchpoints,
    sentiment: new Map(models.map((model) => [model.language, model])),
    experiments: new Map(experiments.map((experiment) => [experiment.id, experiment])),
    journeys: new Map(journeys.map((settings) => [settings.id, settings])),
    defaultJourney,
    triggers: new Map(triggers.map((settings) => [settings.id, settings])),
    affinities: new Map(affinities.map((settings) => [settings.id, settings])),
    // `file` is where a definition stands, not what it says.
    hash: contentHash({
      brands: brands.filter((brand) => !isDefault(brand)),
      defaultBrand,
      segments: segments.map(withoutFile),
      // Left out while there are none, so that a set without any keeps its hash.
      ...(measures.length === 0 ? {} : { measures: measures.map(withoutFile) }),
      ...(ratios.length === 0 ? {} : { ratios: ratios.map(withoutFile) }),
      // Quality is part of what a model's version says.
      churn: churn.map(({ quality: _quality, ...model }) => withoutFile(model)),
      surveys: surveys.map(withoutFile),
      touchpoints: touchpoints.filter((settings) => !isDefault(settings)).map(withoutFile),
      defaultTouchpoints: withoutFile(defaultTouchpoints),
      sentiment: Object.fromEntries(models.map(({ language, version: each }) => [language, each])),
      experiments: experiments.map(withoutFile),
      journeys: journeys.filter((settings) => !isDefault(settings)).map(withoutFile),
      defaultJourney: withoutFile(defaultJourney),
      ...(triggers.length === 0 ? {} : { triggers: triggers.map(withoutFile) }),
      ...(affinities.length === 0 ? {} : { affinities: affinities.map(withoutFile) }),
    }),
  };
}

function brandOf(file: DefinitionFile, faults: Fault[]): BrandDefinition[] {
  return namedFile(BrandFile, file, faults).map(({ file: _, ...brand }) => brand);
}

function segmentOf(file: DefinitionFile, faults: Fault[]): SegmentDefinition[] {
  return namedFile(SegmentFile, file, faults);
}

function touchpointsOf(file: DefinitionFile, faults: Fault[]): TouchpointSettings[] {
  return namedFile(TouchpointFile, file, faults);
}

function journeyOf(file: DefinitionFile, faults: Fault[]): JourneySettings[] {
  return namedFile(JourneyFile, file, faults);
}

function triggersOf(file: DefinitionFile, faults: Fault[]): TriggerSettings[] {
  return namedFile(TriggerFile, file, faults);
}

function surveyOf(file: DefinitionFile, faults: Fault[]): SurveyDefinition[] {
  return namedFile(SurveyFile, file, faults).flatMap((survey) => completeSurvey(survey, file.file, faults));
}

function experimentOf(file: DefinitionFile, faults: Fault[]): ExperimentDefinition[] {
  return namedFile(ExperimentFile, file, faults).filter((experiment) => {
    const found = experimentFaults(experiment);
    faults.push(...found);
    return found.length === 0;
  });
}

/** What a file whose name is its id says, and where it stands. */
function namedFile<Output extends { readonly id: string }>(
  shape: z.ZodObject & z.ZodType<Output>,
  file: DefinitionFile,
  faults: Fault[],
): (Output & { readonly file: string })[] {
  const parsed = parse(shape, file, faults);
  return parsed !== null && named(parsed.id, file, faults) ? [{ ...parsed, file: file.file }] : [];
}

function churnOf(file: DefinitionFile, faults: Fault[]): ChurnModelDefinition[] {
  const model = parse(ChurnFile, file, faults);
  if (!BRAND_ID.test(file.name))
    faults.push({ where: file.file, message: 'must be named after its brand: churn/<brand>.json' });
  if (model === null) return [];
  const { horizonDays, parameters, baseline, fittedAt, quality } = model;
  const version = contentHash(model);
  return [
    {
      ...{ brandId: file.name, model: model.model, horizonDays, parameters, baseline, fittedAt, quality },
      ...{ version, file: file.file },
    },
  ];
}

function sentimentOf(file: DefinitionFile, faults: Fault[]): SentimentModelDefinition[] {
  const model = parse(SentimentFile, file, faults);
  if (model === null) return [];
  const { language, texts, grams, sharpness } = model;
  if (language !== file.name) {
    faults.push({
      where: `${file.file}: language`,
      message: `is "${language}", but the file is named "${file.name}"; both must be the same`,
    });
    return [];
  }
  // Quality says how the model did, not what it says of a text.
  const version = contentHash({ language, texts, grams, sharpness });
  return [{ language, texts, grams: new Map(Object.entries(grams)), sharpness, version, file: file.file }];
}

function parse<Shape extends z.ZodObject>(
  shape: Shape,
  { file, content }: DefinitionFile,
  faults: Fault[],
): z.output<Shape> | null {
  const parsed = shape.safeParse(content);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const path = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      const known = knownFields(shape, issue.path);
      for (const key of issue.keys) {
        faults.push({
          where: `${file}: ${[path, key].filter(Boolean).join('.')}`,
          message: `unknown field${suggestion(key, known)}`,
        });
      }
    } else {
      faults.push({ where: path === '' ? file : `${file}: ${path}`, message: issue.message });
    }
  }
  return null;
}

/** The fields that a shape has at a path. */
function knownFields(shape: z.ZodObject, path: readonly PropertyKey[]): string[] {
  let fields: Readonly<Record<string, unknown>> = shape.shape;
  for (const part of path) {
    let inner = fields[String(part)];
    // What may be null or left out is wrapped.
    while (inner instanceof z.ZodPrefault || inner instanceof z.ZodNullable) inner = inner.unwrap();
    fields = inner instanceof z.ZodObject ? inner.shape : {};
  }
  return Object.keys(fields);
}

function named(id: string, file: DefinitionFile, faults: Fault[]): boolean {
  if (id === file.name) return true;
  faults.push({
    where: `${file.file}: id`,
    message: `is "${id}", but the file is named "${file.name}"; both must be the same`,
  });
  return false;
}

async function shippedDefault<Definition extends { readonly id: string }>(
  folder: Folder,
  read: (file: DefinitionFile, faults: Fault[]) => Definition[],
): Promise<Definition> {
  const faults: Fault[] = [];
  const files = await readDefinitionFiles(shippedDefinitions, faults);
  const [shipped] = files[folder].filter((file) => file.name === 'default').flatMap((file) => read(file, faults));
  if (shipped !== undefined) return shipped;
  throw new ConfigurationError([...faults, { where: join(folder, 'default.json'), message: 'is missing' }]);
}

/** A folder's own model of a language takes the place of the shipped one. */
async function shippedSentiment(): Promise<SentimentModelDefinition[]> {
  const faults: Fault[] = [];
  const files = await readDefinitionFiles(shippedDefinitions, faults);
  const models = files.sentiment.flatMap((file) => sentimentOf(file, faults));
  if (faults.length > 0) throw new ConfigurationError(faults);
  return models;
}

function isDefault({ id }: { readonly id: string }): boolean {
  return id === 'default';
}

function withoutFile<Definition extends { readonly file: string }>(definition: Definition): Definition {
  return { ...definition, file: '' };
}
