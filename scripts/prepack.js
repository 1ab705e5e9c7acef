// Runs before the package is packed: no file in dist whose source is gone, and the libraries of every platform.
import { rmSync } from 'node:fs'
import { packRuntime } from './runtime.js'

rmSync('dist', { recursive: true, force: true })
packRuntime()
