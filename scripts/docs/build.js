// Builds the site of the documentation. The tools are fetched when they are first needed: typedoc with a TypeScript of its own (the compiler that
// tenfold is built with has no interface for it), and a library that sets formulas.
import { cpSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fetchedPackages } from '../fetched-packages.js'
import { escapeMarkdown, plainComments } from './comments.js'
import { stagePages } from './pages.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tools = join(root, '.docs')
const packages = { typedoc: '0.28.20', typescript: '6.0.3', '@vscode/markdown-it-katex': '1.1.2' }

/** `tenfold` and its entry points, by file. */
function entryPoints() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([name, { types }]) => ({
      name: join('tenfold', name).replaceAll('\\', '/'),
      file: join(root, types.replace('./dist/', 'src/').replace('.d.ts', '.ts')),
    }))
}

/**
 * Writes the site into `folder`, which is made anew. `links`: paths of pages in `folder` by their words, which stand above the navigation of every
 * page. Pages of another kind (the interactive ones) are written into folders of their own after this: `buildDocs(folder, { links: { 'Try it':
 * 'try/index.html' } })`, then the pages to `folder/try/`, then `checkLinks(folder)`.
 */
export async function buildDocs(folder, { links = {} } = {}) {
  const modules = fetchedPackages(tools, packages)
  const require = createRequire(join(modules, 'package.json'))
  const { Application, Comment, Converter, JSX } = await import(pathToFileURL(require.resolve('typedoc')).href)
  const { default: katex } = require('@vscode/markdown-it-katex')
  const { repository, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const home = repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
  const stage = join(tools, 'stage')
  const { groups, order, files } = stagePages(root, stage, home)
  const entries = entryPoints()

  const app = await Application.bootstrap({
    entryPoints: entries.map(({ file }) => file),
    tsconfig: join(root, 'tsconfig.json'),
    basePath: root,
    readme: join(stage, 'README.md'),
    projectDocuments: files,
    out: folder,
    name: 'tenfold',
    skipErrorChecking: true, // `npm run typecheck` does it, with the compiler of the project
    disableGit: true,
    sourceLinkTemplate: `${home}/blob/main/{path}#L{line}`,
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    favicon: join(root, 'scripts', 'docs', 'favicon.svg'),
    hideGenerator: true,
    searchInComments: true,
    searchInDocuments: true,
    headings: { readme: false, document: false },
    navigation: { includeGroups: true, includeCategories: false, includeFolders: false },
    groupOrder: [...groups, '*'],
    validation: { notExported: false, invalidLink: true, rewrittenLink: false, notDocumented: false },
    customCss: join(root, 'scripts', 'docs', 'style.css'),
    customFooterHtml: `tenfold ${version}. This site needs no server and loads nothing from elsewhere.`,
    highlightLanguages: ['typescript', 'javascript', 'json', 'bash', 'sh', 'shell', 'python', 'html', 'css'],
    ignoredHighlightLanguages: ['mermaid'],
    lightHighlightTheme: 'github-light',
    darkHighlightTheme: 'github-dark',
    markdownItLoader: (parser) => parser.use(katex, { throwOnError: true }),
    locales: { en: { kind_plural_module: 'Reference' } },
    logLevel: 'Error', // its warnings take shapes in comments for links; links of the site are checked afterwards
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    plainComments(project)
    for (const child of project.children ?? []) {
      const entry = entryOf(child, entries)
      if (!entry) continue
      child.name = entry.name
      child.comment = new Comment([{ kind: 'text', text: escapeMarkdown(headOf(entry.file)) }])
    }
  })
  app.renderer.hooks.on('sidebar.begin', (context) =>
    JSX.createElement(
      'nav',
      { class: 'site-links' },
      ...Object.entries({ Start: 'index.html', ...links }).map(([words, path]) =>
        JSX.createElement('a', { href: context.relativeURL(path) }, words),
      ),
    ),
  )
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => sortPages(project, order), -1000)
  app.renderer.hooks.on('head.end', (context) =>
    JSX.createElement('link', { rel: 'stylesheet', href: context.relativeURL('assets/katex/katex.min.css') }),
  )
  const project = await app.convert()
  if (!project) throw new Error('typedoc could not read the source')
  await app.generateDocs(project, folder)
  if (app.logger.hasErrors()) throw new Error('typedoc met errors')
  const katexFiles = join(modules, 'katex', 'dist')
  cpSync(join(katexFiles, 'katex.min.css'), join(folder, 'assets', 'katex', 'katex.min.css'))
  cpSync(join(katexFiles, 'fonts'), join(folder, 'assets', 'katex', 'fonts'), {
    recursive: true,
    filter: (path) => !/\.(ttf|woff)$/.test(path), // every browser of today takes woff2
  })
}

/** The entry point that a module stands for. */
function entryOf(module, entries) {
  const file = module.sources?.[0]?.fullFileName
  return entries.find((entry) => file !== undefined && pathToFileURL(entry.file).href === pathToFileURL(file).href)
}

/** The words at the top of a file, without the name before the colon. */
function headOf(file) {
  const [, text = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, 'utf8')) ?? []
  const words = text
    .replace(/^\s*\* ?/gm, '')
    .trim()
    .replace(/^`?tenfold[^:]*: /, '')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

/** Pages in the order of their groups, entry points after them. */
function sortPages(project, order) {
  const place = ({ name }) => (order.includes(name) ? order.indexOf(name) : order.length)
  project.documents?.sort((a, b) => place(a) - place(b))
  for (const group of project.groups ?? []) group.children.sort((a, b) => place(a) - place(b))
}
