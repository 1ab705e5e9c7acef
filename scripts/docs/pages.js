// The pages that are written by hand: where they are, in which group and order the site shows them, and copies whose links hold in the site.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'

/** In this order; further pages of a folder follow by name. */
const guide = [
  'first-model',
  'data',
  'training-loop',
  'trainer',
  'saving-and-loading',
  'pytorch-checkpoints',
  'fine-tuning',
  'importing',
  'export',
  'generation',
  'changing-sizes',
  'speed-and-memory',
  'debugging',
  'traps',
  'adding-an-op',
  'adding-a-system',
]

const markdown = (root, folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder))
        .filter((name) => name.endsWith('.md'))
        .sort()
        .map((name) => join(folder, name))
    : []

/**
 * Groups of the site's navigation with their pages in order: a file, or a file with further ones below it. README.md is the first page and in none.
 */
export function pageGroups(root) {
  const known = guide.map((name) => join('docs', 'guide', `${name}.md`)).filter((file) => existsSync(join(root, file)))
  const systems = readdirSync(join(root, 'src', 'systems'))
    .map((name) => join('src', 'systems', name, 'README.md'))
    .filter((file) => existsSync(join(root, file)))
  const below = (file) => markdown(root, dirname(file)).filter((other) => other !== file)
  const alone = (file) => ({ file, below: [] })
  return [
    {
      title: 'Guide',
      pages: [...known, ...markdown(root, 'docs/guide').filter((file) => !known.includes(file))].map(alone),
    },
    { title: 'Systems', pages: systems.map((file) => ({ file, below: below(file) })) },
    {
      title: 'Handbook',
      pages: [
        ...[...markdown(root, 'docs'), ...markdown(root, 'examples'), 'CONTRIBUTING.md'].map(alone),
        { file: decisionsPage, below: markdown(root, 'docs/decisions') },
      ],
    },
  ]
}

/** A page that is made here: the list of all decisions. */
const decisionsPage = join('docs', 'decisions', 'README.md')

function decisionsText(root) {
  const lines = markdown(root, 'docs/decisions').map((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return `- [${titleOf(file, text)}](${basename(file)})`
  })
  return `# Decisions\n\nWhy things are as they are, with the measurements that decided.\n\n${lines.join('\n')}\n`
}

/** The words of a page's first heading before a colon; those after it where the page is below another; a decision has its number. */
function titleOf(file, text, isBelow = false) {
  const [, heading = file] = /^# (.+)$/m.exec(text) ?? []
  const [, number] = /decisions[\\/](\d+)-/.exec(file) ?? []
  const title = heading.replace(/^\d+[.:]?\s*/, '').replaceAll('`', '')
  const [before, after] = title.split(/: (.*)/)
  if (number) return `${number} ${title.charAt(0).toUpperCase()}${title.slice(1)}`
  return isBelow && after ? `${after.charAt(0).toUpperCase()}${after.slice(1)}` : before
}

/** The first page with ways into the site below its first paragraph. */
function withCards(text) {
  const cards = [
    ['docs/guide/first-model.md', 'Guide', 'From a first model to training, fine-tuning, export; runnable programs'],
    ['src/systems/mixer/README.md', 'Systems', 'Ten of them: the idea, the code, claims and our numbers beside them'],
    ['docs/runs.md', 'Handbook', 'Runs, sweeps, several machines; your own data; speed; how it is checked'],
  ]
  const html = cards.map(
    ([path, title, words]) => `<a href="${path}"><strong>${title}</strong><span>${words}</span></a>`,
  )
  const at = text.indexOf('\n\n', text.indexOf('\n\n') + 2)
  return `${text.slice(0, at)}\n\n<div class="cards">${html.join('')}</div>${text.slice(at)}`
}

/** A link, whose words may have code in them; or code alone, in which nothing is a link. */
const link = /(!?\[(?:[^\]`]|`[^`]*`)*\]\()([^)\s#]*)(#[^)\s]*)?(\))|`[^`\n]*`/g

/** Text with each link outside of code replaced. */
function replaceLinks(text, replace) {
  return text
    .split(/(^```[\s\S]*?^```)/m)
    .map((piece, i) =>
      i % 2 === 1 ? piece : piece.replace(link, (...match) => (match[1] === undefined ? match[0] : replace(match))),
    )
    .join('')
}

/**
 * Copies the pages to `stage`, as they lie to each other in the repository, with their group and title on top. Links to other pages and pictures
 * stay; those to other files of the repository lead to `repository`. Throws if a link names what does not exist.
 */
export function stagePages(root, stage, repository) {
  rmSync(stage, { recursive: true, force: true })
  const groups = pageGroups(root)
  const listed = groups.flatMap(({ title, pages }) => pages.map((page) => ({ ...page, group: title })))
  const files = ['README.md', ...listed.flatMap(({ file, below }) => [file, ...below])]
  const dead = []
  const order = []
  for (const file of files) {
    const source = file === decisionsPage ? decisionsText(root) : readFileSync(join(root, file), 'utf8')
    const text = replaceLinks(source, ([whole, before, target, anchor = '', after]) => {
      if (target === '' || /^[a-z]+:/.test(target)) return whole
      const path = relative(root, resolve(root, dirname(file), target))
      if (!existsSync(join(root, path)) && path !== decisionsPage) {
        dead.push(`${file}: ${target}`)
        return whole
      }
      if (files.includes(path)) return whole
      if (before.startsWith('!')) {
        mkdirSync(dirname(join(stage, path)), { recursive: true })
        copyFileSync(join(root, path), join(stage, path))
        return whole
      }
      const kind = statSync(join(root, path)).isDirectory() ? 'tree' : 'blob'
      return `${before}${repository}/${kind}/main/${path.replaceAll('\\', '/')}${anchor}${after}`
    })
    const page = listed.find((each) => each.file === file)
    const isBelow = listed.some(({ below }) => below.includes(file))
    const title = titleOf(file, source, isBelow)
    if (page) order.push(title)
    const about = [
      `title: ${JSON.stringify(title)}`,
      ...(page ? [`group: ${page.group}`] : []),
      ...(page && page.below.length > 0 ? ['children:', ...page.below.map((other) => `  - ${basename(other)}`)] : []),
    ]
    const head = file === 'README.md' ? '' : `---\n${about.join('\n')}\n---\n\n`
    mkdirSync(dirname(join(stage, file)), { recursive: true })
    writeFileSync(join(stage, file), head + (file === 'README.md' ? withCards(text) : text))
  }
  if (dead.length > 0) throw new Error(`links that lead nowhere:\n${dead.join('\n')}`)
  return { groups: groups.map(({ title }) => title), order, files: listed.map(({ file }) => join(stage, file)) }
}
