// Packs tenfold as for publishing, installs it into an empty folder as a user would, and uses it there: `npm run check:package`.
// Fails if npm prints a warning, if something does not run, or if the types do not check.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npm } from './runtime.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'tenfold-package-'))
const npmVersions = ['10', '11']
const compilers = { 'typescript-oldest': 'npm:typescript@5.4', 'typescript-newest': 'npm:typescript@latest' }

/** README's programs; the first one trains. */
const programs = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/<!-- run -->\n```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code,
)

function check(what, passed, details) {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${what}`)
  if (!passed) console.log(details)
  if (!passed) process.exitCode = 1
}

/** Runs a program that must end well and print nothing on stderr. */
function checkRun(what, folder, program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  check(what, status === 0 && stderr === '', `exit code ${status}\n${stdout}${stderr}`)
}

function newFolder(name) {
  const folder = join(place, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  return folder
}

/** Installs with npm of a given version, which must end well and warn of nothing. */
function install(version, folder, ...packages) {
  const args = [
    'exec',
    '--yes',
    '--silent',
    `--package=npm@${version}`,
    '--',
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    ...packages,
  ]
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  const said = `${stdout}${stderr}`.replaceAll(/^npm notice.*$/gm, '').trim()
  check(
    `npm ${version} install ${packages.length} package(s): ${said}`,
    status === 0 && !/warn|error/i.test(said),
    said,
  )
}

function checkTypes(folder) {
  for (const [i, code] of programs.entries()) writeFileSync(join(folder, `program-${i}.ts`), code)
  // Neither a browser's types nor Node's: of both, the programs need this only.
  writeFileSync(join(folder, 'console.d.ts'), 'declare const console: { log(...values: unknown[]): void }\n')
  const lib = ['es2022']
  const compilerOptions = { target: 'es2022', lib, module: 'nodenext', strict: true, skipLibCheck: false, types: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  for (const name of Object.keys(compilers)) {
    const compiler = join(folder, 'node_modules', name, 'bin', 'tsc')
    const version = execFileSync(process.execPath, [compiler, '--version'], { encoding: 'utf8' }).trim()
    checkRun(
      `types by TypeScript ${version}, strict, without skipLibCheck, DOM and @types/node`,
      folder,
      process.execPath,
      [compiler, '-p', '.'],
    )
  }
}

const tarball = join(
  place,
  JSON.parse(npm(['pack', '--json', '--silent', `--pack-destination=${place}`]).replace(/^[^[]*/, ''))[0].filename,
)
try {
  for (const version of npmVersions) {
    const folder = newFolder(`npm-${version}`)
    install(version, folder, tarball)
    const tenfold = (what, ...args) => checkRun(`npx tenfold ${what}`, folder, 'npx', ['tenfold', ...args])
    tenfold('--help', '--help')
    tenfold('train', 'train', 'mixer/mnist', '--steps', '3', '--out', 'run')
  }
  const folder = join(place, `npm-${npmVersions.at(-1)}`)
  execFileSync('npm', ['install', '--silent', ...Object.entries(compilers).map(([name, of]) => `${name}@${of}`)], {
    cwd: folder,
  })
  checkTypes(folder)
  for (const i of programs.keys()) checkRun(`README's program ${i + 1}`, folder, process.execPath, [`program-${i}.js`])
} finally {
  rmSync(place, { recursive: true })
}
