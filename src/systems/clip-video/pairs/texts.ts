/** What is said of a drawing: its name, in sentences about pictures, with words that belong to it. */
import type { NamedThing } from '../../../data/sources/drawings.ts'
import type { Generator } from '../../../util/random.ts'

/** Sentences about a picture; the mean of a name's features in all of them is its prompt ensemble. */
export const promptTemplates = [
  '{}',
  'a drawing of a {}',
  'a picture of a {}',
  'a cartoon of a {}',
  'a small drawing of the {}',
  'an emoji of a {}',
] as const

/** A name in a sentence. */
export function inPrompt(template: string, name: string): string {
  return template.replace('{}', name)
}

/** One of the texts of a thing: its name, its name in a sentence, or some of its words. */
export function drawText({ name, tags }: NamedThing, random: Generator): string {
  const kind = random.uniform(1)[0] ?? 0
  const pick = <T>(list: readonly T[]): T | undefined => list[random.integers(0, Math.max(1, list.length), 1)[0] ?? 0]
  const sentence = pick(promptTemplates) ?? '{}'
  if (kind < 0.35) return name
  if (kind < 0.65 || tags.length === 0) return inPrompt(sentence, name)
  const tag = pick(tags) ?? name
  if (kind < 0.85) return `${name}, ${tag}, ${pick(tags) ?? name}`
  return `a ${tag} picture`
}

/** Every text that can be drawn is made of the tokens of these. */
export function textsOf(things: readonly NamedThing[]): string[] {
  const sentences = promptTemplates.map((template) => inPrompt(template, 'picture'))
  return [...sentences, 'a picture, the', ...things.flatMap(({ name, tags }) => [name, ...tags])]
}
