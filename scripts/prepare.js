// Runs after `npm ci` in a clone: builds dist, and links the command so that `npx tenfold` finds it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const binaries = join('node_modules', 'onnxruntime-node', 'bin', 'napi-v6')
for (const platform of ['darwin', 'linux', 'win32']) {
  for (const architecture of ['arm64', 'x64']) {
    // The package ships the libraries of every platform (240 MB); this clone can run only its own.
    if (platform === process.platform && architecture === process.arch) continue
    rmSync(join(binaries, platform, architecture), { recursive: true, force: true })
  }
}

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
