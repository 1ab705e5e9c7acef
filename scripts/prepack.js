// Runs before the package is packed: the libraries of every platform, and dist without files whose source is gone.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { packRuntime } from './runtime.js'

packRuntime()
rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
