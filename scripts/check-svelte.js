// `npm run check:svelte`: types of the components of the pages and of the studio, which `npm run typecheck` does not read. Left out are the pages'
// texts, Page.svelte, whose formulas only the build of the site reads. svelte-check needs TypeScript 6, which lies in `.web/svelte-check`.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchedPackages } from './fetched-packages.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, '.web', 'svelte-check')
const modules = fetchedPackages(folder, { svelte: '5.57.3', 'svelte-check': '4.7.8', typescript: '6.0.3' })
const project = join(folder, 'tsconfig.json')
const settings = {
  extends: join(root, 'tsconfig.json'),
  compilerOptions: { lib: ['es2023', 'dom', 'dom.iterable'], typeRoots: [join(root, 'node_modules', '@types')] },
  // And what is declared of packages.
  include: ['pages/**/*', 'studio/ui/**/*', '**/*.d.ts'].map((pattern) => join(root, 'src', pattern)),
  exclude: [join(root, 'src', 'pages', '*', 'Page.svelte')],
}
writeFileSync(project, `${JSON.stringify(settings, null, 2)}\n`)
const options = {
  workspace: join(root, 'src'),
  tsconfig: project,
  output: 'human',
  threshold: 'warning',
}
const { status } = spawnSync(
  process.execPath,
  [
    join(modules, 'svelte-check', 'bin', 'svelte-check'),
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    '--fail-on-warnings',
  ],
  { stdio: 'inherit' },
)
process.exit(status ?? 1)
