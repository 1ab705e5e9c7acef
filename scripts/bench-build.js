// Builds the measurements of `npm run bench` into .bench/build, as a package of its own beside the one that it measures.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const build = join('.bench', 'build')
mkdirSync(build, { recursive: true })

// Its files are ES modules, and what package.json calls #runtime lies among them. What npm has written beside stays.
const file = join('.bench', 'package.json')
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { private: true }
const described = { ...known, type: 'module', imports: { '#runtime': './build/src/runtime/node.js' } }
writeFileSync(file, `${JSON.stringify(described, null, 2)}\n`)

// The build looks for ONNX Runtime's libraries two folders above src/runtime, as dist does.
const vendor = join(build, 'vendor')
if (!existsSync(vendor)) symlinkSync(resolve('vendor'), vendor, 'junction')

const compiler = join('node_modules', 'typescript', 'bin', 'tsc')
execFileSync(process.execPath, [compiler, '-p', 'tsconfig.bench.json'], { stdio: 'inherit' })
