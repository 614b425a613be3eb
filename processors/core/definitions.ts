/**
 * The definitions a brand's owner writes as files, already validated and with every default filled in
 * (processors/definitions/load.ts reads them). Versioned as a set by `hash`.
 */
export interface BrandDefinition {
  readonly id: string;
  /** ISO 4217; the only currency that counts as revenue. */
  readonly currency: string;
  /** IANA name. */
  readonly timeZone: string;
  /** A customer without a purchase for so many days counts as lost. */
  readonly lostAfterDays: number;
  /** Accounts the brand's social presence reaches; null when not given. */
  readonly socialReach: number | null;
}

export interface SegmentDefinition {
  readonly id: string;
  readonly name: string;
  /** Brand ids, or `*` for every brand. */
  readonly brands: readonly string[];
  /** A rule in the allow-listed subset of MongoDB query syntax over the profile view. */
  readonly where: Readonly<Record<string, unknown>>;
  /** Where it stands, for messages: `segments/<id>.json`. */
  readonly file: string;
}

/** Of the BG/NBD family (customer/churn-model.ts). */
export const CHURN_MODELS = ['mbg-nbd', 'bg-nbd'] as const;
export type ChurnModelName = (typeof CHURN_MODELS)[number];

/** A fitted churn model, parameters in weeks. */
export interface ChurnModelDefinition {
  readonly brandId: string;
  readonly model: ChurnModelName;
  readonly horizonDays: number;
  readonly parameters: { readonly r: number; readonly alpha: number; readonly a: number; readonly b: number };
  /** The reference customer that reasons are told against; `probability` is the model's at that point. */
  readonly baseline: { readonly probability: number; readonly x: number; readonly tx: number; readonly T: number };
  readonly fittedAt: string;
  /** How the model did when it was judged; some of the numbers are metrics. */
  readonly quality: Readonly<Record<string, number | string | null>>;
  /** Content hash of the model, published as `modelVersion`. */
  readonly version: string;
  readonly file: string;
}

export interface Definitions {
  readonly brands: ReadonlyMap<string, BrandDefinition>;
  /** For a brand without a definition of its own. */
  readonly defaultBrand: BrandDefinition;
  readonly segments: readonly SegmentDefinition[];
  readonly churn: ReadonlyMap<string, ChurnModelDefinition>;
  /** Content hash of the whole set: the `definitionsVersion` of every output. */
  readonly hash: string;
}
