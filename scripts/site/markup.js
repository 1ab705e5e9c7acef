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

/** Markdown within a line: code, bold, emphasis; of a link its words, since the page beside it may not be there. */
function inlineHtml(markdown) {
  return escapeHtml(markdown)
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>')
    .replace(/(?<![\w*])\*([^*]+)\*(?![\w*])/g, '<i>$1</i>')
}

const cellsOf = (line) =>
  line
    .replace(/^\s*\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => inlineHtml(cell.trim().replace(/\\\|/g, '|')))

/** The tables of a README's section whose title begins with "Claims" or "The claims", cells as HTML. */
export function claimsOf(file) {
  if (!existsSync(file)) throw new Error(`${file}: there is no such README`)
  const [, section] =
    /^## (?:The c|C)laims[^\n]*\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(readFileSync(file, 'utf8')) ?? []
  if (section === undefined) throw new Error(`${file}: it has no section "The claims"`)
  const tables = section.match(/(?:^\|.*\n?)+/gm) ?? []
  if (tables.length === 0) throw new Error(`${file}: its claims are no table`)
  return tables.map((table) => {
    const [columns, , ...rows] = table.trim().split('\n').map(cellsOf)
    return { columns, rows }
  })
}

/** A module `.../README.md?claims` exports `claims`, the tables of that README's claims. */
export const claims = {
  name: 'claims',
  load(id) {
    if (!id.endsWith('.md?claims')) return null
    const file = id.slice(0, -'?claims'.length)
    this.addWatchFile(file)
    return `export const claims = ${JSON.stringify(claimsOf(file))}`
  },
}
