import { SETTING_NAMES, SETTINGS, type SettingName } from './config-table.ts';
import type { Setting } from './config-types.ts';

const setting = (name: SettingName): Setting<unknown> => SETTINGS[name];

/** The table of settings as Markdown, as the README shows it. */
export function renderSettings(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { type, fallback, meaning, secret } = setting(name);
    const shown = fallback === null ? '' : fallback === '' ? 'empty' : `\`${fallback}\``;
    const note = secret ? ` Secret: may come from a file, \`${name}_FILE\`.` : '';
    return `| \`${name}\` | ${type.label} | ${shown} | ${meaning}${note} |`;
  });
  return ['| Setting | Type | Default | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
