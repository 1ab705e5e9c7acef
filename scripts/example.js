// Runs an example of examples/ on any Node: `npm run example -- cnn-pictures [ITS OPTIONS]`. Node 22.18 and newer run the files themselves.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const names = readdirSync(join(root, 'examples')).flatMap((file) => (file.endsWith('.ts') ? [file.slice(0, -3)] : []))
const [name = '', ...rest] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`examples: ${names.join(', ')}; for example: npm run example -- ${names[0]}`)
  process.exit(2)
}
// What an example says of itself at its top names its options.
const about = readFileSync(join(root, 'examples', `${name}.ts`), 'utf8').split('*/')[0] ?? ''
if (rest.includes('--help') || rest.includes('-h')) {
  console.log(about.replaceAll(/^(\/\*\*| \*) ?/gm, '').trim())
  process.exit(0)
}
const known = about.match(/--[a-z-]+/g) ?? []
const unknown = rest.find((option) => option.startsWith('--') && !known.includes(option.split('=')[0] ?? ''))
if (unknown !== undefined) {
  console.error(`error: ${name} has no option ${unknown} (npm run example -- ${name} --help)`)
  process.exit(2)
}
if (!existsSync(join(root, 'dist', 'index.js'))) execFileSync(process.execPath, [join(root, 'scripts', 'build.js')])
// Into the package, where `tenfold` means the package itself.
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
execFileSync(process.execPath, [compiler, '-p', join(root, 'examples')], { stdio: 'inherit' })
const { status } = spawnSync(process.execPath, [join(root, 'dist', 'examples', `${name}.js`), ...rest], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
