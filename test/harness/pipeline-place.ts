import { provisionPlace, type PlaceOptions, type ProvisionedPlace } from './provisioned-place.ts';
import { sandbox } from './sandbox.ts';

/** A sandbox with every topic and schema of the catalog, in which the whole pipeline can run. */
export type PipelinePlace = ProvisionedPlace;

/** Provisions a sandbox for the whole pipeline (provisioned-place.ts). */
export async function pipelinePlace(name: string, options: PlaceOptions): Promise<PipelinePlace> {
  return provisionPlace(sandbox(name), options);
}
