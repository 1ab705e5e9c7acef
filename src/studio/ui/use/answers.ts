/** What a use has said, as the page shows it. */

export type Shown =
  | {
      readonly kind: 'choices'
      readonly input: string
      readonly choices: readonly { readonly label: string; readonly probability: number }[]
    }
  | { readonly kind: 'text'; readonly input: string; readonly text: string }
  | { readonly kind: 'error'; readonly input: string; readonly text: string }
  | { readonly kind: 'note'; readonly text: string }
  /** `file`: below the run; empty: it lies elsewhere, at `path`. */
  | { readonly kind: 'file'; readonly input: string; readonly path: string; readonly file: string }
  | { readonly kind: 'metrics'; readonly metrics: Readonly<Record<string, number>> }

/** The last part of a path: uploads lie in folders of their own. */
function lastPart(path: unknown): string {
  return typeof path === 'string' ? (path.split(/[\\/]/).at(-1) ?? '') : ''
}

function isNumbers(value: unknown): value is Record<string, number> {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** Reads an event of `--json`; undefined for those that nothing is to be shown of. `isFile`: inputs are files. */
export function shownOf(event: Readonly<Record<string, unknown>>, isFile: boolean): Shown | undefined {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const input = isFile ? lastPart(event.input) : text(event.input)
  switch (event.event) {
    case 'answer':
      if (Array.isArray(event.choices)) return { kind: 'choices', input, choices: event.choices }
      if (typeof event.text === 'string') return { kind: 'text', input, text: event.text }
      if (typeof event.line === 'string') return { kind: 'text', input, text: event.line }
      return { kind: 'file', input, path: text(event.file), file: text(event.shown) }
    case 'error':
      return { kind: 'error', input, text: text(event.message) }
    case 'warning':
      return { kind: 'note', text: text(event.message) }
    case 'done':
      return isNumbers(event.metrics) ? { kind: 'metrics', metrics: event.metrics } : undefined
    case 'end':
      return event.error ? { kind: 'error', input: '', text: text(event.error) } : undefined
    default:
      return undefined
  }
}

/** The example of inputs in a use's help: `"Call me [MASK]."` -> `Call me [MASK].` */
export function exampleOf(inputs: string): string {
  return /"([^"]*)"/.exec(inputs)?.[1] ?? ''
}
