// Runs before the package is packed: the libraries of every platform, and dist without files whose source is gone.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { packRuntime } from './runtime.js'

packRuntime()
await import('./build.js')
for (const file of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
  const [, name] = /^(.*?)(?:\.d\.ts|\.js|\.js\.map)$/.exec(file) ?? []
  // The studio's page is bundled of many sources.
  const isBundled = file.startsWith(join('studio', 'page'))
  if (name !== undefined && !isBundled && !existsSync(join('src', `${name}.ts`))) rmSync(join('dist', file))
}
