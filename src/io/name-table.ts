/** Maps the names of another library's checkpoint to ours, row by row. */
import { FormatError } from '../util/errors.ts'
import { suggestion } from '../util/words.ts'

/** A row of a table: the same tensors under both names. `*` stands for a number, at most one in a name. */
export interface NameRule {
  readonly official: string
  readonly ours: string
}

/** A name in the other scheme, and the row that has it: what else is in a row, such as the layout, is the user's. */
export interface TranslatedName<Rule extends NameRule> {
  readonly name: string
  readonly rule: Rule
}

/** Translates the names of tensors between an official checkpoint and ours. */
export class NameTable<Rule extends NameRule> {
  readonly #rules: readonly Rule[]
  readonly #model: string

  /** `model`: its name in messages. Of several rows with the same name the first counts. */
  constructor(model: string, rules: readonly Rule[]) {
    this.#model = model
    this.#rules = rules
  }

  /** Whether a name is in the official column. */
  hasOfficial(name: string): boolean {
    return this.#find('official', name) !== undefined
  }

  /** Our name of an official one. Throws a FormatError that suggests the nearest known name. */
  toOurs(name: string): TranslatedName<Rule> {
    const found = this.#find('official', name)
    if (found) return { name: found.rule.ours.replace('*', found.number), rule: found.rule }
    const known = this.#rules.map(({ official }) => official)
    throw new FormatError(`${this.#model} checkpoint: unknown tensor "${name}"`, { hint: suggestion(name, known) })
  }

  /** The official name of one of ours. Throws a FormatError for a parameter that the official model does not have. */
  toOfficial(name: string): TranslatedName<Rule> {
    const found = this.#find('ours', name)
    if (found) return { name: found.rule.official.replace('*', found.number), rule: found.rule }
    throw new FormatError(`${this.#model}: "${name}" is not a parameter of the official model`)
  }

  #find(side: 'official' | 'ours', name: string): { readonly rule: Rule; readonly number: string } | undefined {
    for (const rule of this.#rules) {
      const [before = '', after] = rule[side].split('*')
      if (after === undefined) {
        if (name === before) return { rule, number: '' }
      } else if (name.startsWith(before) && name.endsWith(after)) {
        const number = name.slice(before.length, name.length - after.length)
        if (/^\d+$/.test(number)) return { rule, number }
      }
    }
    return undefined
  }
}
