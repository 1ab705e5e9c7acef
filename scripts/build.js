// Builds dist. `npm ci --omit=optional` leaves out the types of packages that tenfold can do without, and so the check of types, and
// this machine's part of TypeScript's compiler, which is fetched.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildStudio } from './build-studio.js'
import { npm } from './runtime.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const described = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
const installed = (name) => existsSync(join(root, 'node_modules', name))

const compiler = `@typescript/typescript-${process.platform}-${process.arch}`
if (!installed(compiler)) {
  const { version } = described('node_modules/typescript')
  npm(['install', '--no-save', '--ignore-scripts', '--omit=optional', '--silent', `${compiler}@${version}`])
}
const complete = Object.keys(described('.').optionalDependencies).every(installed)
const args = ['-p', 'tsconfig.build.json', ...(complete ? [] : ['--noCheck'])]
try {
  execFileSync(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), ...args], {
    cwd: root,
    stdio: 'inherit',
  })
} catch ({ status }) {
  process.exitCode = status ?? 1
}
if (process.exitCode === undefined) await buildStudio()
