/**
 * Lays the native libraries of ONNX Runtime into vendor/onnxruntime/PLATFORM-ARCHITECTURE, from the registry's package onnxruntime-node,
 * whose install script is not run (docs/decisions/042-runtime-in-the-package.md).
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const vendor = join(root, 'vendor', 'onnxruntime')
const own = `${process.platform}-${process.arch}`

/** The package they come from; onnxruntime-common, a dependency, is released together with it. */
const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies['onnxruntime-common']
const integrity = 'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw=='

/** Only other execution providers load these, when they are asked for; tenfold computes on the processor. The last one is a copy. */
const unneeded = ['DirectML.dll', 'dxcompiler.dll', 'dxil.dll', `libonnxruntime.${version}.dylib`]

/** Runs npm and returns what it prints. */
export function npm(args, cwd = root) {
  // The npm that runs this script, if one does: another one may be on the path, or none.
  const script = process.env.npm_execpath
  const options = { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }
  if (script && /npm-cli\.[cm]?js$/.test(script)) return execFileSync(process.execPath, [script, ...args], options)
  return execFileSync('npm', args, { ...options, shell: process.platform === 'win32' })
}

/** Unpacks the package's libraries into `folder` and returns the folder that has one for each PLATFORM/ARCHITECTURE. */
function unpack(folder) {
  const options = ['--json', '--silent', '--pack-destination=.', '--no-dry-run', '--prefer-offline']
  const [packed] = JSON.parse(npm(['pack', `onnxruntime-node@${version}`, ...options], folder))
  if (packed.integrity !== integrity)
    throw new Error(`onnxruntime-node ${version} has changed: expected ${integrity}, found ${packed.integrity}`)
  execFileSync('tar', ['-xzf', packed.filename, 'package/bin'], { cwd: folder, stdio: 'inherit' })
  const [binding] = readdirSync(join(folder, 'package', 'bin'))
  return join(folder, 'package', 'bin', binding)
}

/** Platforms whose libraries of this version are there. */
function present() {
  const folders = existsSync(vendor) ? readdirSync(vendor) : []
  const ofVersion = (name) => {
    const file = join(vendor, name, 'version')
    return existsSync(file) && readFileSync(file, 'utf8') === `${version}\n`
  }
  return new Set(folders.filter(ofVersion))
}

/** Lays in the libraries of the platforms that `wanted` is true for. Those that are there may be in use, and stay. */
function layIn(wanted) {
  const there = present()
  mkdirSync(vendor, { recursive: true })
  const folder = mkdtempSync(join(vendor, 'unpacked-'))
  try {
    const unpacked = unpack(folder)
    for (const platform of readdirSync(unpacked)) {
      for (const architecture of readdirSync(join(unpacked, platform))) {
        const name = `${platform}-${architecture}`
        if (!wanted(name) || there.has(name)) continue
        const libraries = join(unpacked, platform, architecture)
        for (const file of unneeded) rmSync(join(libraries, file), { force: true })
        writeFileSync(join(libraries, 'version'), `${version}\n`)
        rmSync(join(vendor, name), { recursive: true, force: true })
        renameSync(libraries, join(vendor, name))
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Lays in the libraries of this machine, unless they are there. */
export function prepareRuntime() {
  if (!present().has(own)) layIn((name) => name === own)
}

/** Leaves only the libraries of this machine, and of those that are `kept`. */
export function pruneRuntime(kept = []) {
  for (const name of present())
    if (name !== own && !kept.includes(name)) rmSync(join(vendor, name), { recursive: true })
}

/** Lays in the libraries of every platform; or of those that TENFOLD_PLATFORMS names (linux-x64,darwin-arm64) and this machine's. */
export function packRuntime() {
  const named = process.env.TENFOLD_PLATFORMS?.split(',')
  if (named) pruneRuntime(named)
  layIn((name) => name === own || !named || named.includes(name))
  const missing = named?.filter((name) => !present().has(name)) ?? []
  if (missing.length > 0) throw new Error(`ONNX Runtime ${version} has no library for ${missing.join(', ')}`)
}
