/** The adjective experiment of WinoMT: a stereotype put in front of the person repairs another one. */
import { tokensOf, type WinoSentence } from './sentences.ts'

const adjectives = { male: 'handsome', female: 'pretty', neutral: '', unknown: '' } as const

/**
 * "handsome" or "pretty" in front of the person, as the sentence says who it is. Neutral people and "someone" stay as they are. "an" becomes
 * "a" before both.
 */
export function withAdjective(sentence: WinoSentence): WinoSentence {
  const { gold, entityIndex, entity, text } = sentence
  const adjective = adjectives[gold]
  const tokens = tokensOf(text)
  const before = tokens[entityIndex - 1]
  if (adjective === '' || before === undefined || entity === 'someone') return sentence
  const changed = [
    ...tokens.slice(0, entityIndex - 1),
    before.replace(/^([aA])n$/, '$1'),
    adjective,
    ...tokens.slice(entityIndex),
  ]
  return { ...sentence, entityIndex: entityIndex + 1, text: changed.join(' '), described: true }
}
