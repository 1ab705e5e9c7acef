/** The pages of the site, without typedoc: links between them, and the check of links. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'tenfold-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Evaluates an expression with the scripts' functions, as JSON. */
function evaluate(module: string, expression: string): unknown {
  const code = `import * as module from ${JSON.stringify(join(root, 'scripts', 'docs', module))}; console.log(JSON.stringify(${expression}))`
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }))
}

test('every link of the pages names a page or a file that exists', () => {
  const stage = join(folder, 'stage')
  const staged = evaluate(
    'pages.js',
    `module.stagePages(${JSON.stringify(root)}, ${JSON.stringify(stage)}, 'https://home')`,
  )
  expect(staged).toMatchObject({ groups: ['Guide', 'Systems', 'Handbook'] })
  const page = readFileSync(join(stage, 'src', 'systems', 'mixer', 'README.md'), 'utf8')
  expect(page).toMatch(/^---\ntitle: "MLP-Mixer"\ngroup: Systems\n---\n/)
  expect(page).toContain('[`model.ts`](https://home/blob/main/src/systems/mixer/model.ts)')
})

test('dead links and places of a site are found', () => {
  const site = join(folder, 'site')
  mkdirSync(join(site, 'a'), { recursive: true })
  writeFileSync(
    join(site, 'index.html'),
    '<a href="a/">A</a> <a href="a/index.html#here">B</a> <a class="x" href="a/#gone">C</a>',
  )
  writeFileSync(
    join(site, 'a', 'index.html'),
    '<h2 id="here">H</h2><img src="no.png"><a href="https://elsewhere">E</a>',
  )
  expect(evaluate('links.js', `module.checkLinks(${JSON.stringify(site)})`)).toEqual({
    pages: 2,
    links: 4,
    dead: [`index.html: a/#gone`, `${join('a', 'index.html')}: no.png`],
  })
})

test('shapes and products in doc comments are no markup, links and lists are', () => {
  const escaped = (text: string) => evaluate('comments.js', `module.escapeMarkdown(${JSON.stringify(text)})`)
  expect(escaped('[N, C]: a_i * b_i < 1\n* one')).toBe('\\[N, C\\]: a\\_i \\* b\\_i \\< 1\n* one')
  expect(escaped('see [there](https://x_y) and x')).toBe('see [there](https://x_y) and x')
})
