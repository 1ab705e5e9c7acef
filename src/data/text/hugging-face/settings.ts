/** The settings of the parts of a `tokenizer.json`, each an object with a `type`. */
import { ReplaceNormalizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { FormatError } from '../../../util/errors.ts'

const part = z.looseObject({ type: z.string() })

/** A normalizer, pre-tokenizer or decoder as the file has it. */
export type Part = z.infer<typeof part>

/** Checks settings. Throws a FormatError that begins with `owner` and names the wrong one. */
export function settingsOf<T>(schema: z.ZodType<T>, settings: unknown, owner: string): T {
  const checked = schema.safeParse(settings)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw new FormatError([owner, issue?.path.join('.'), issue?.message].filter(Boolean).join(' '))
}

/** What makes a part of each type. */
export type Makers<T> = ReadonlyMap<string, (settings: Part) => T>

/** The part that the settings ask for; undefined for null. Throws a FormatError for a type that is not among the makers. */
export function partOf<T>(makers: Makers<T>, settings: unknown, owner: string): T | undefined {
  if (settings === null || settings === undefined) return undefined
  const checked = settingsOf(part, settings, owner)
  const make = makers.get(checked.type)
  if (!make) throw new FormatError(`there is no ${owner} of type "${checked.type}"`)
  return make(checked)
}

/** The parts of a Sequence, in their order. */
export function partsOf<T>(makers: Makers<T>, settings: Part, list: string, owner: string): T[] {
  const parts = settingsOf(z.array(z.unknown()), settings[list], `${owner} Sequence: ${list}`)
  return parts.flatMap((settings) => partOf(makers, settings, owner) ?? [])
}

/** What a part looks for: a text as it is, or a regular expression in Oniguruma's syntax. */
export const patternSetting = z.union([z.strictObject({ String: z.string() }), z.strictObject({ Regex: z.string() })])

/** The pattern as a regular expression of JavaScript, global. The library translates Oniguruma's. No match for an empty text. */
export function patternOf(pattern: z.infer<typeof patternSetting>): RegExp {
  if ('String' in pattern && pattern.String === '') return /(?!)/gu
  return new ReplaceNormalizer({ pattern }).pattern ?? /(?!)/gu
}

/** A text as a regular expression that finds it as it is. */
export const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
