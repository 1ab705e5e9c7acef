// Packages that only some work needs, in a folder of their own that git ignores: they are not among the dependencies, so that whoever only
// wants to train does not fetch them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from './runtime.js'

function isPresent(folder, name, version) {
  const file = join(folder, 'node_modules', name, 'package.json')
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version
}

/** Fetches packages of exact versions into `folder` if they are not there, and returns its `node_modules`. */
export function fetchedPackages(folder, packages) {
  if (!Object.entries(packages).every(([name, version]) => isPresent(folder, name, version))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true, dependencies: packages })}\n`)
    npm(['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund'], folder)
  }
  return join(folder, 'node_modules')
}
