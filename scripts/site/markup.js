// What the pages' build makes of texts: formulas in TeX become MathML, a system's claims come from its README.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text) => text.replace(/[&<>"]/g, (character) => escapes[character])

/** `$$...$$` (a formula of its own) and `$...$` (within a line) in the markup of a component become MathML, which needs no script and no font. */
export function formulas(modules) {
  const temml = createRequire(pathToFileURL(join(modules, '..', 'package.json')))('temml')
  const mathMl = (tex, displayMode) => {
    const math = temml.renderToString(tex.trim(), { displayMode, throwOnError: true, annotate: false })
    // Braces would begin an expression of Svelte's.
    return math.replace(/[{}]/g, (brace) => (brace === '{' ? '&#123;' : '&#125;'))
  }
  return {
    name: 'formulas',
    markup: ({ content }) => {
      const parts = content.split(/(<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>)/)
      const code = parts.map((part, i) =>
        i % 2 === 1
          ? part
          : part
              .replace(/\$\$([^$]+)\$\$/g, (_, tex) => `<div class="formula">${mathMl(tex, true)}</div>`)
              .replace(/\$([^$\n]+)\$/g, (_, tex) => mathMl(tex, false)),
      )
      return { code: code.join('') }
    },
  }
}

/**
 * Markdown within a line: code, bold, emphasis. A link to a section of the README leads to its page in the documentation, `document`; of other
 * links, and without a documentation, the words stay.
 */
function inlineHtml(markdown, document) {
  const link = (_, words, address) =>
    document !== undefined && address.startsWith('#') ? `<a href="${document}${address}">${words}</a>` : words
  return escapeHtml(markdown)
    .replace(/\[([^\]]+)\]\(([^)]*)\)/g, link)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>')
    .replace(/(?<![\w*])\*([^*]+)\*(?![\w*])/g, '<i>$1</i>')
}

const cellsOf = (line, document) =>
  line
    .replace(/^\s*\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => inlineHtml(cell.trim().replace(/\\\|/g, '|'), document))

/** Sections of a README that say what was found, the first that it has; of one of claims what lies below in sections of its own is left out. */
const sections = [
  /^## (?:The c|C)laims[^\n]*\n([\s\S]*?)(?=^##|(?![\s\S]))/m,
  /^## What was measured[^\n]*\n([\s\S]*?)(?=^## |(?![\s\S]))/m,
]

/**
 * The tables of a README's section of claims, or of what was measured, each with the paragraph before it, as HTML. `document`: the README's page in the
 * documentation, as seen from a page; undefined: there is none.
 */
export function claimsOf(file, document) {
  if (!existsSync(file)) throw new Error(`${file}: there is no such README`)
  const text = readFileSync(file, 'utf8')
  const section = sections.map((pattern) => pattern.exec(text)?.[1]).find((found) => found !== undefined)
  if (section === undefined) throw new Error(`${file}: it has no section "The claims" or "What was measured"`)
  const blocks = section.split(/\n\s*\n/).map((block) => block.trim())
  const isTable = (block) => block.startsWith('|')
  if (!blocks.some(isTable)) throw new Error(`${file}: its claims are no table`)
  return blocks.flatMap((block, i) => {
    if (!isTable(block)) return []
    const [columns, , ...rows] = block.split('\n').map((line) => cellsOf(line, document))
    const before = blocks[i - 1] ?? ''
    const caption = before === '' || isTable(before) || before.startsWith('`') ? '' : inlineHtml(before, document)
    return { caption, columns, rows }
  })
}

/** Where the documentation (`npm run docs`) in a folder has the page of a README; undefined: nowhere. */
export function documentOf(file, folder) {
  const [, title = ''] = /^# ([^\n:]*)/m.exec(readFileSync(file, 'utf8')) ?? []
  const path = `documents/${title.trim().replaceAll(' ', '_')}.html`
  return folder !== undefined && existsSync(join(folder, path)) ? path : undefined
}

/** A module `.../README.md?claims` exports `claims`, the tables of that README's claims. `docs`: the folder of the documentation, two above a page. */
export const claims = (docs) => ({
  name: 'claims',
  load(id) {
    if (!id.endsWith('.md?claims')) return null
    const file = id.slice(0, -'?claims'.length)
    const document = documentOf(file, docs)
    return `export const claims = ${JSON.stringify(claimsOf(file, document && `../../${document}`))}`
  },
})
