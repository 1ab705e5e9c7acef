// Installs what `npm run bench` compares with, into .bench/: outside node_modules and outside git.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const folder = '.bench'
const run = (program, args) => execFileSync(program, args, { stdio: 'inherit' })

mkdirSync(folder, { recursive: true })
if (!existsSync(join(folder, 'venv'))) run('python3', ['-m', 'venv', join(folder, 'venv')])
run(join(folder, 'venv', 'bin', 'pip'), ['install', '--quiet', 'torch', 'numpy', 'safetensors'])
// The build of the measurements lies below, too: its files are ES modules, as those of the package.
writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
// The build looks for ONNX Runtime's libraries two folders above src/runtime, as dist does.
const vendor = join(folder, 'build', 'vendor')
mkdirSync(join(folder, 'build'), { recursive: true })
if (!existsSync(vendor)) symlinkSync(resolve('vendor'), vendor, 'junction')
run('npm', [
  'install',
  '--prefix',
  folder,
  '--no-audit',
  '--no-fund',
  '--ignore-scripts',
  '@tensorflow/tfjs@4',
  '@tensorflow/tfjs-backend-wasm@4',
  '@jax-js/jax',
])
