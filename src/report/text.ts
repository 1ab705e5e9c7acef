import { largest } from '../util/lists.ts'

/** Formatting of text and numbers for the page. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text made safe for HTML, attributes included. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

/** Safe HTML of a text in which `code` stands between backticks. */
export function withCode(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

/** The name under which a title is linked to: `What it gets wrong` -> `what-it-gets-wrong`. */
export function slug(title: string): string {
  const words = title.toLowerCase().match(/[\p{L}\p{N}]+/gu)
  return words ? words.join('-') : 'section'
}

/** Sentences one after the other; those that are missing are skipped. */
export function sentences(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' ')
}

/** What is written for a number that is not finite. */
function nonFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '∞' : '−∞'
}

function withMinus(text: string): string {
  return text.replace('-', '−')
}

/** `0.00012` -> `1.2e−4`, with at most `digits` digits. */
function exponential(value: number, digits: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e')
  return `${withMinus(String(Number(mantissa)))}e${withMinus(exponent.replace('+', ''))}`
}

/** A number with `decimals` decimals and its thousands separated. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return nonFinite(value)
  const text = value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  return withMinus(/^-0(\.0*)?$/.test(text) ? text.slice(1) : text)
}

/** A number alone: whole ones in full, others with `digits` significant digits, very small and large ones as `1.2e−4`. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return nonFinite(value)
  const size = Math.abs(value)
  if (size >= 1e9 || (size > 0 && size < 1e-3)) return exponential(value, digits)
  if (Number.isInteger(value) || size >= 10 ** (digits - 1)) return formatFixed(value, 0)
  return withMinus(value.toLocaleString('en', { maximumSignificantDigits: digits }))
}

/** A fraction in percent: `98.42 %`. */
export function formatPercent(fraction: number, decimals = 2): string {
  if (!Number.isFinite(fraction)) return nonFinite(fraction)
  return `${formatFixed(100 * fraction, decimals)} %`
}

/** A column of numbers with one number of decimals for all: enough for four significant digits, at most six. */
export function formatColumn(values: readonly number[]): string[] {
  const finite = values.filter(Number.isFinite)
  const decimalsOf = (value: number): number => {
    const digits = String(Number(value.toPrecision(4)))
    return digits.includes('e') ? 0 : (digits.split('.')[1]?.length ?? 0)
  }
  const decimals = Math.min(6, Math.max(0, largest(finite.map(decimalsOf))))
  // Four digits stay together, for they may be a year.
  const grouped = finite.some((value) => Math.abs(value) >= 10_000)
  return values.map((value) => {
    const size = Math.abs(value)
    if (!Number.isFinite(value)) return nonFinite(value)
    if (size >= 1e12 || (size > 0 && size < 1e-4)) return exponential(value, 4)
    return grouped ? formatFixed(value, decimals) : formatFixed(value, decimals).replaceAll(',', '')
  })
}

/** Roughly how wide a text is drawn, in pixels, in a usual sans serif: to keep labels apart. */
export function textWidth(text: string, fontSize: number): number {
  let ems = 0
  for (const character of text) {
    if (/[ijl.,:;|'!I ]/.test(character)) ems += 0.29
    else ems += /[mwMW%@—]/.test(character) ? 0.88 : 0.58
  }
  return ems * fontSize
}

/** The text, cut to a width with an ellipsis where it is longer. */
export function fitText(text: string, fontSize: number, width: number): string {
  if (textWidth(text, fontSize) <= width) return text
  let cut = text
  while (cut.length > 1 && textWidth(`${cut}…`, fontSize) > width) cut = cut.slice(0, -1)
  return `${cut.trimEnd()}…`
}
