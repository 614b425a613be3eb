import { format, resolveConfig } from 'prettier';
import { resolve } from 'node:path';
import { renderSettings } from '../../processors/runtime/config-docs.ts';
import { renderMetrics } from '../../processors/runtime/metrics-docs.ts';
import { renderRights } from '../../topics/rights.ts';
import { ROOT } from './repository.ts';

export const README = resolve(ROOT, 'README.md');

/** The sections of the README that are written by code, by the name in their markers. */
const GENERATED = { settings: renderSettings, metrics: renderMetrics, rights: renderRights } as const;

/** What stands between `<!-- name -->` and `<!-- /name -->`; null when the markers are not there. */
export function sectionOf(text: string, name: string): string | null {
  const [, section] = text.match(new RegExp(`<!-- ${name} -->([\\s\\S]*?)<!-- /${name} -->`)) ?? [];
  return section ?? null;
}

/** The README as it must be: generated sections as the code has them today, formatted as Prettier does. */
export async function renderReadme(text: string): Promise<string> {
  let rendered = text;
  for (const [name, render] of Object.entries(GENERATED)) {
    if (sectionOf(text, name) === null)
      throw new Error(`README.md has no section <!-- ${name} --> … <!-- /${name} -->`);
    const section = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`);
    rendered = rendered.replace(section, (_all, open: string, close: string) => `${open}\n\n${render()}\n\n${close}`);
  }
  return format(rendered, { ...(await resolveConfig(README)), filepath: README });
}
