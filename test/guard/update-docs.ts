// `npm run docs`: writes the generated sections of the README anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { README, renderReadme } from './reference-docs.ts';

writeFileSync(README, await renderReadme(readFileSync(README, 'utf8')));
