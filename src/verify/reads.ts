/** Tracks what a target has read of a case: an input, a setting or a tensor that nothing reads would pass silently. */
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError } from '../util/errors.ts'
import type { Settings } from './target.ts'

/** The tensors of a case by their full names. Getting one counts as reading it; listing the names does not. */
export class CaseTensors extends Map<string, NDArray> {
  readonly #read = new Set<string>()

  override get(name: string): NDArray | undefined {
    this.#read.add(name)
    return super.get(name)
  }

  override *entries(): MapIterator<[string, NDArray]> {
    for (const name of this.keys()) {
      const array = this.get(name)
      if (array) yield [name, array]
    }
  }

  override [Symbol.iterator](): MapIterator<[string, NDArray]> {
    return this.entries()
  }

  override *values(): MapIterator<NDArray> {
    for (const [, array] of this.entries()) yield array
  }

  override forEach(visit: (array: NDArray, name: string, map: Map<string, NDArray>) => void): void {
    for (const [name, array] of this.entries()) visit(array, name, this)
  }

  /** A tensor without having read it: for a compiled function, which reads what it gets with `reading`. */
  peek(name: string): NDArray | undefined {
    return super.get(name)
  }

  /** The arguments of a compiled function by name: getting one counts as reading the tensor of the name that `fullName` gives. */
  reading<T>(given: Readonly<Record<string, T>>, fullName: (name: string) => string): Readonly<Record<string, T>> {
    return new Proxy(given, {
      get: (target, name) => {
        if (typeof name === 'string' && Object.hasOwn(target, name)) this.#read.add(fullName(name))
        return Reflect.get(target, name)
      },
    })
  }

  /** What was not read, as an error names it; `isResult`: the expected results, which the target need not read. */
  unread(isResult: (name: string) => boolean = () => false): string[] {
    return [...this.keys()].filter((name) => !this.#read.has(name) && !isResult(name)).map(describeTensor)
  }
}

/** `input/image` and `case/input/image` are an input of a case and of one of its entries. */
function describeTensor(name: string): string {
  const input = /(?:^|\/)input\/(.+)$/.exec(name)?.[1]
  return input === undefined ? `tensor "${name}"` : `input "${input}"`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The settings of a case, which remember what was read of them. What is null counts as absent: there is nothing to read. */
export class SettingsReads {
  readonly #kind: string
  readonly #unread = new Set<string>()

  /** `kind`: what they are called in errors. */
  constructor(kind = 'setting') {
    this.#kind = kind
  }

  /** The settings to be read from, nested ones too; `path` stands before their names in errors. */
  track(settings: Settings, path = ''): Settings {
    const nested: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(settings)) {
      const name = path ? `${path}.${key}` : key
      if (value !== null && value !== undefined) this.#unread.add(name)
      nested[key] = this.#wrap(value, name)
    }
    return new Proxy(nested, {
      get: (target, key) => {
        if (typeof key === 'string') this.#unread.delete(path ? `${path}.${key}` : key)
        return Reflect.get(target, key)
      },
    })
  }

  #wrap(value: unknown, name: string): unknown {
    if (Array.isArray(value)) return value.map((item, i) => this.#wrap(item, `${name}.${i}`))
    return isRecord(value) ? this.track(value, name) : value
  }

  /** What was not read, as an error names it; of an unread setting, not the ones inside it. */
  unread(): string[] {
    const isInside = (name: string): boolean =>
      name.split('.').some((_, i, parts) => i > 0 && this.#unread.has(parts.slice(0, i).join('.')))
    return [...this.#unread].filter((name) => !isInside(name)).map((name) => `${this.#kind} "${name}"`)
  }
}

const longestList = 5

/** Throws a FormatError that names what nothing has read. */
export function refuseUnread(unread: readonly string[]): void {
  if (unread.length === 0) return
  const more = unread.length > longestList ? ` and ${unread.length - longestList} more` : ''
  throw new FormatError(`nothing reads ${unread.slice(0, longestList).join(', ')}${more}`)
}
