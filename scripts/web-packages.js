/**
 * What only the web parts need (pages, their tests): onnxruntime-web, playwright-core, esbuild and temml, 170 MB, in `.web/node_modules`. They are not among
 * the dependencies, so that whoever only wants to train in Node does not fetch them.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npm } from './runtime.js'

const folder = fileURLToPath(new URL('../.web', import.meta.url))

/** Exact versions: onnxruntime-web as the library for Node; temml writes formulas as MathML when the pages are built. */
const packages = { 'onnxruntime-web': '1.30.0', 'playwright-core': '1.65.1', esbuild: '0.28.2', temml: '0.13.5' }

function isPresent(name, version) {
  const file = join(folder, 'node_modules', name, 'package.json')
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version
}

/** Fetches the packages if they are not there, and returns the folder that has them: `.web/node_modules`. */
export function webPackages() {
  if (!Object.entries(packages).every(([name, version]) => isPresent(name, version))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true, dependencies: packages })}\n`)
    npm(['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund'], folder)
  }
  return join(folder, 'node_modules')
}

/** The Chromium to drive: what CHROMIUM names, or Debian's. */
export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium'
