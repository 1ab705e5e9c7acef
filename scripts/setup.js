// Makes a clone ready: lays in ONNX Runtime's libraries for this machine, builds dist, and links the command so that `npx tenfold`
// finds it. `npm ci` runs it as "postprepare": npm 11 warns whoever installs the packed package if that has a script "prepare".
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { prepareRuntime } from './runtime.js'

prepareRuntime()

if (existsSync(join('node_modules', 'typescript'))) {
  execFileSync(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  })
}

if (process.platform !== 'win32') {
  mkdirSync(join('node_modules', '.bin'), { recursive: true })
  rmSync(join('node_modules', '.bin', 'tenfold'), { force: true })
  symlinkSync('../../bin/tenfold.js', join('node_modules', '.bin', 'tenfold'))
}
