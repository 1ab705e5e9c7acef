// Runs after the package was packed: a clone needs no other machine's libraries.
import { pruneRuntime } from './runtime.js'

pruneRuntime()
