// Makes a clone ready: lays in ONNX Runtime's libraries for this machine, builds dist, and links the command so that `npx tenfold`
// finds it. `npm ci` runs it as "postprepare": npm 11 warns whoever installs the packed package if that has a script "prepare".
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { prepareRuntime } from './runtime.js'

prepareRuntime()

// Not there with --omit=dev: then there is nothing to build with.
if (existsSync(join('node_modules', 'typescript'))) await import('./build.js')

if (process.platform !== 'win32') {
  mkdirSync(join('node_modules', '.bin'), { recursive: true })
  rmSync(join('node_modules', '.bin', 'tenfold'), { force: true })
  symlinkSync('../../bin/tenfold.js', join('node_modules', '.bin', 'tenfold'))
}
