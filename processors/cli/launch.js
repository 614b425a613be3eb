// `node processors/cli/launch.js FILE.ts args…`: installs what is missing, then runs the file. Plain JavaScript without
// dependencies, because it is what brings them.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { endAs, ROOT, runChild, runScript } from './own-node.js';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage */

/** @param {string} path @returns {Record<string, LockedPackage> | null} null: absent or unreadable */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes node_modules/.package-lock.json as the last step of
 * an install, so that an interrupted one has none; folders that were deleted since are looked for one by one.
 */
function isInstalled() {
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  const present = packagesOf(join(ROOT, 'node_modules', '.package-lock.json'));
  if (wanted === null) throw new Error('package-lock.json is missing or unreadable');
  if (present === null) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (path === '' || link === true) return true;
    const found = present[path];
    // npm leaves out optional packages of other platforms.
    if (found === undefined) return optional === true && path !== `node_modules/node-linux-${process.arch}`;
    return found.version === version && found.integrity === integrity && existsSync(join(ROOT, path, 'package.json'));
  });
}

async function install() {
  process.stderr.write('Installing the dependencies that package-lock.json names (npm ci), once…\n');
  // All of them, whatever NODE_ENV or the caller's npm says; the Node binary is an optional dependency.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env['npm_execpath'];
  const options = { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] };
  return npm?.endsWith('.js') === true && existsSync(npm)
    ? runChild(process.execPath, [npm, ...args], options)
    : runChild('npm', args, options);
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node processors/cli/launch.js FILE.ts [argument…]\n');
  process.exitCode = 2;
} else {
  const end = isInstalled() ? { code: 0, signal: null } : await install();
  if (end.code === 0) await runScript(resolve(ROOT, file), args);
  else {
    process.stderr.write('The install failed: see the message above; `npm ci` shows more.\n');
    endAs(end);
  }
}
