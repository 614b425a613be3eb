import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../processors/runtime/config.ts';
import { SETTING_NAMES, SETTINGS } from '../../processors/runtime/config-table.ts';
import { renderSettings } from '../../processors/runtime/config-docs.ts';
import { README, renderReadme, sectionOf } from './reference-docs.ts';
import { ROOT } from './repository.ts';

describe('the settings', () => {
  test('are documented, each with a sentence', () => {
    for (const name of SETTING_NAMES) {
      expect(SETTINGS[name].meaning, name).toMatch(/^[A-Z`].*\.$/);
      expect(renderSettings()).toContain(`| \`${name}\` |`);
    }
  });

  test('stand in the README as the code has them (npm run docs writes them anew)', async () => {
    const readme = readFileSync(README, 'utf8');
    expect(sectionOf(readme, 'settings')).toBe(sectionOf(await renderReadme(readme), 'settings'));
  });

  test('of .env.example are the smallest that run on services', () => {
    const example = parseEnv(readFileSync(resolve(ROOT, '.env.example'), 'utf8'));
    expect(loadConfig(example).services).not.toBeNull();
    for (const name of Object.keys(example)) expect(() => loadConfig({ ...example, [name]: '' }), name).toThrow(name);
  });
});
