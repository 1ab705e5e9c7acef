/**
 * What only the web parts need (pages, their tests): onnxruntime-web, playwright-core, esbuild and temml, 170 MB, in `.web/node_modules`. They are not among
 * the dependencies, so that whoever only wants to train in Node does not fetch them.
 */
import { fileURLToPath } from 'node:url'
import { fetchedPackages } from './fetched-packages.js'

/** Fetches the packages if they are not there, and returns the folder that has them: `.web/node_modules`. onnxruntime-web as the library for Node. */
export function webPackages() {
  const folder = fileURLToPath(new URL('../.web', import.meta.url))
  return fetchedPackages(folder, {
    'onnxruntime-web': '1.30.0',
    'playwright-core': '1.65.1',
    esbuild: '0.28.2',
    temml: '0.13.5',
  })
}

/** The Chromium to drive: what CHROMIUM names, or Debian's. */
export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium'
