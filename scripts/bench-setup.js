// Installs what `npm run bench` compares with, into .bench/: outside node_modules and outside git.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = '.bench'
const run = (program, args) => execFileSync(program, args, { stdio: 'inherit' })

mkdirSync(folder, { recursive: true })
if (!existsSync(join(folder, 'venv'))) run('python3', ['-m', 'venv', join(folder, 'venv')])
run(join(folder, 'venv', 'bin', 'pip'), ['install', '--quiet', 'torch', 'torchvision', 'numpy', 'safetensors'])
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
