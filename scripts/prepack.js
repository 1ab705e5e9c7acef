// Runs before the package is packed: the libraries of every platform, and dist without files whose source is gone.
import { rmSync } from 'node:fs'
import { packRuntime } from './runtime.js'

packRuntime()
rmSync('dist', { recursive: true, force: true })
await import('./build.js')
