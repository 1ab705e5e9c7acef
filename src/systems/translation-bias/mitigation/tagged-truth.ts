/**
 * What rewriting should do, known from the tags of the Brown corpus: "her/pp$" is a determiner ("his"), "her/ppo" an object ("him"). The rules
 * of `rewriting.ts` have never been fitted to it.
 */
import { type RewriteTarget, rewritePronouns } from './rewriting.ts'

/** A word with its part of speech, in lower case. */
export interface TaggedWord {
  readonly word: string
  readonly tag: string
}

/** Lines of Brown: `word/tag word/tag ...`. A word may have a slash itself. */
export function parseTagged(line: string): TaggedWord[] {
  return line
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map((token) => {
      const cut = token.lastIndexOf('/')
      return { word: token.slice(0, cut), tag: token.slice(cut + 1).toLowerCase() }
    })
}

/** Tags of headlines, titles and foreign words end so; the part of speech comes before. */
const plainTag = (tag: string): string => tag.replace(/-(?:hl|tl|nc)/g, '')

/** By word and tag: the form for he and for she. */
const forms: Readonly<Record<string, Readonly<Record<'he' | 'she', string>>>> = {
  'he/pps': { he: 'he', she: 'she' },
  'she/pps': { he: 'he', she: 'she' },
  'him/ppo': { he: 'him', she: 'her' },
  'her/ppo': { he: 'him', she: 'her' },
  'his/pp$': { he: 'his', she: 'her' },
  'her/pp$': { he: 'his', she: 'her' },
  'his/pp$$': { he: 'his', she: 'hers' },
  'hers/pp$$': { he: 'his', she: 'hers' },
  'himself/ppl': { he: 'himself', she: 'herself' },
  'herself/ppl': { he: 'himself', she: 'herself' },
}

/** "he'll/pps+md": the pronoun with its own tag, and what is tied to it. */
function partsOf({ word, tag }: TaggedWord): { readonly key: string; readonly suffix: string } {
  const [stem = '', suffix = ''] = word.toLowerCase().split(/(?=')/)
  return { key: `${stem}/${plainTag(tag).split('+')[0]}`, suffix }
}

function formOf(word: TaggedWord, target: 'he' | 'she'): string | undefined {
  const { key, suffix } = partsOf(word)
  const form = Object.hasOwn(forms, key) ? forms[key]?.[target] : undefined
  return form === undefined ? undefined : `${form}${suffix}`
}

const women = /^(?:she|her|hers|herself)(?:'|$)/
const men = /^(?:he|him|his|himself)(?:'|$)/

/** Whom a sentence is about, if its pronouns are of one gender and their tags are known; undefined for any other. */
export function genderOfSentence(words: readonly TaggedWord[]): 'he' | 'she' | undefined {
  const pronouns = words.filter(({ word }) => women.test(word.toLowerCase()) || men.test(word.toLowerCase()))
  if (pronouns.length === 0 || pronouns.some((each) => formOf(each, 'he') === undefined)) return undefined
  const female = pronouns.filter(({ word }) => women.test(word.toLowerCase())).length
  if (female !== 0 && female !== pronouns.length) return undefined
  return female === 0 ? 'he' : 'she'
}

/** Pronouns rewritten, and how many of them right; and whether all of the sentence is. */
export interface RewriteCount {
  readonly pronouns: number
  readonly right: number
  readonly sentenceRight: boolean
  /** By the form and its part of speech, as "her/pp$". */
  readonly byForm: Readonly<Record<string, readonly [pronouns: number, right: number]>>
}

/** Rewrites a sentence into the other gender and compares it word by word with what its tags say. */
export function countRewriting(words: readonly TaggedWord[], target: 'he' | 'she'): RewriteCount {
  const found = rewritePronouns(words.map(({ word }) => word).join(' '), target).split(' ')
  const byForm: Record<string, [number, number]> = {}
  let [pronouns, right, others] = [0, 0, 0]
  for (const [i, each] of words.entries()) {
    const expected = formOf(each, target)
    const own = (found[i] ?? '').toLowerCase()
    if (expected === undefined) {
      if (own !== each.word.toLowerCase()) others++
      continue
    }
    const { key } = partsOf(each)
    const counts = byForm[key] ?? [0, 0]
    counts[0]++
    pronouns++
    if (own === expected) {
      counts[1]++
      right++
    }
    byForm[key] = counts
  }
  return { pronouns, right, sentenceRight: right === pronouns && others === 0, byForm }
}

/** Verbs in the third person: those that "they" changes. */
const thirdPerson = /^(?:vbz|bez|bedz|hvz|doz)\*?$/
/** What may stand between a subject and its verb. */
const between = /^(?:rb|ql|rbr|rn|abx|abn)/

/** Verbs of "he" and "she" that "they" must change, and those that it must not. */
export interface AgreementCount {
  readonly toChange: number
  readonly changed: number
  readonly toKeep: number
  readonly kept: number
}

/** Rewrites a sentence into "they" and looks at the verb behind each subject. */
export function countAgreement(words: readonly TaggedWord[]): AgreementCount {
  const target: RewriteTarget = 'they'
  const found = rewritePronouns(words.map(({ word }) => word).join(' '), target).split(' ')
  const counts = { toChange: 0, changed: 0, toKeep: 0, kept: 0 }
  for (const [i, each] of words.entries()) {
    if (!/^s?he$/.test(each.word.toLowerCase())) continue
    let verb = i + 1
    while (verb < words.length && between.test(plainTag(words[verb]?.tag ?? ''))) verb++
    const { word = '', tag = '' } = words[verb] ?? {}
    if (!/^(?:vb|be|hv|do|md)/.test(tag)) continue
    const isChanged = found[verb] !== word
    if (thirdPerson.test(plainTag(tag))) {
      counts.toChange++
      if (isChanged) counts.changed++
    } else {
      counts.toKeep++
      if (!isChanged) counts.kept++
    }
  }
  return counts
}
