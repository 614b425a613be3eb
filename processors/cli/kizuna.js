#!/usr/bin/env node
import { join } from 'node:path';
import { ROOT, runScript } from './own-node.js';

await runScript(join(ROOT, 'processors', 'cli', 'main.ts'), process.argv.slice(2));
