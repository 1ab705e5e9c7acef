/**
 * Rewriting of English sentences into the other gender and into "they", as translators do it that show both forms: only pronouns change,
 * and the verbs that agree with "they".
 */

/** Into which pronoun. */
export type RewriteTarget = 'she' | 'he' | 'they'

/** What a pronoun is in its sentence. */
type Case = 'subject' | 'object' | 'determiner' | 'possessive' | 'reflexive'

const forms: Readonly<Record<RewriteTarget, Readonly<Record<Case, string>>>> = {
  she: { subject: 'she', object: 'her', determiner: 'her', possessive: 'hers', reflexive: 'herself' },
  he: { subject: 'he', object: 'him', determiner: 'his', possessive: 'his', reflexive: 'himself' },
  they: { subject: 'they', object: 'them', determiner: 'their', possessive: 'theirs', reflexive: 'themself' },
}

/** Words that cannot follow "her" or "his" where it stands before a noun: there it is "him", or "hers". */
const noNoun = new Set(
  (
    'a an the this that these those some any to of in on at for from by with about into over after before because since as so and or but if when ' +
    'while until than not is are was were be been has have had do does did will would can could should may might must he she it they we ' +
    'you i him them us me there here again too also who whom which what how why where up out off down away yesterday today tomorrow all less more well alone never someone something everything one lots anyway anyways'
  ).split(' '),
)

/** Words in "-ing" and "-ly" that do begin a noun phrase. Others do not, after an object: "saw her leaving". */
const phraseStart =
  /^(?:building|clothing|feeling|wedding|painting|training|meaning|wing|ring|king|family|daily|weekly|monthly|yearly|early|elderly|only|lovely|lonely|friendly|ugly)$/

const looksLikeNoun = (word: string | undefined): boolean =>
  word !== undefined && !noNoun.has(word) && (!/(?:ing|ly)$/.test(word) || phraseStart.test(word))

/** Verbs with two objects, or with an object that does something: whom comes first, and "her" is "him" whatever follows. */
const twoObjects =
  /^(?:g[ai]v(?:e|es|ing)|given|tells?|told|show(?:s|ed|n|ing)?|wish(?:es|ed)?|lets?|charg(?:e|es|ed))$/

/** Which case a gendered pronoun has; undefined for any other word. `next` and `previous`: its neighbours, unless punctuation comes between. */
function caseOf(word: string, next: string | undefined, previous: string | undefined): Case | undefined {
  switch (word) {
    case 'he':
    case 'she':
      return 'subject'
    case 'him':
      return 'object'
    case 'hers':
      return 'possessive'
    case 'himself':
    case 'herself':
      return 'reflexive'
    case 'her':
      return looksLikeNoun(next) && !twoObjects.test(previous ?? '') ? 'determiner' : 'object'
    case 'his':
      return looksLikeNoun(next) || (next !== undefined && /(?:ing|ly)$/.test(next)) ? 'determiner' : 'possessive'
    default:
      return undefined
  }
}

const irregular: Readonly<Record<string, string>> = {
  is: 'are',
  was: 'were',
  has: 'have',
  does: 'do',
  goes: 'go',
  "isn't": "aren't",
  "wasn't": "weren't",
  "hasn't": "haven't",
  "doesn't": "don't",
}

/** Words in -s that are no verbs in the third person. */
const noVerb = /(?:ss|us|is|'s|ous|always|perhaps|besides|sometimes|as)$/

/** The plural of a verb in the third person: "washes" -> "wash"; other words stay as they are. */
export function pluralVerb(verb: string): string {
  const known = irregular[verb]
  if (known !== undefined) return known
  if (!/[a-z]s$/.test(verb) || noVerb.test(verb)) return verb
  if (/[^aeiou]ies$/.test(verb) && verb.length > 4) return verb.replace(/ies$/, 'y')
  return verb.replace(/(ss|sh|ch|x|zz|o)es$/, '$1s').replace(/s$/, '')
}

/** Words that may stand between a subject and its verb. */
const between =
  /^(?:always|never|often|also|still|just|only|really|sometimes|usually|then|both|even|now|soon|\p{L}+ly)$/u

/** After "'s": "she's been" has, "she's a" is. */
const participle =
  /^(?:been|had|got|gone|done|seen|made|taken|given|become|lost|left|told|written|known|worked|lived|\p{L}{3,}ed)$/u

const capitalAs = (model: string, word: string): string =>
  /^\p{Lu}/u.test(model) ? word.charAt(0).toUpperCase() + word.slice(1) : word

/**
 * A sentence about one person with its pronouns in another gender or in the plural: "She has lost her keys." -> "They have lost their
 * keys." Names and nouns stay as they are. "her" before a noun is "his", else "him"; "his" without a noun is "hers".
 */
export function rewritePronouns(text: string, target: RewriteTarget): string {
  const tokens = text.split(/([\p{L}]+(?:['’]\p{L}+)?)/u)
  const original = [...tokens]
  /** The word n words behind token i; undefined if anything but spaces comes between. */
  const following = (i: number, n = 1): string | undefined => {
    for (let k = 1; k <= n; k++)
      if (tokens[i + 2 * k - 1]?.trim() !== '' || tokens[i + 2 * k] === undefined) return undefined
    return tokens[i + 2 * n]?.toLowerCase()
  }
  for (let i = 1; i < tokens.length; i += 2) {
    const word = tokens[i] ?? ''
    const [stem = '', suffix = ''] = word.toLowerCase().split(/(?=['’])/)
    const previous = tokens[i - 1] === ' ' ? original[i - 2]?.toLowerCase() : undefined
    const found = caseOf(stem, following(i), previous)
    if (!found) continue
    const apostrophe = suffix.charAt(0)
    let ending = suffix
    if (target === 'they' && found === 'subject') {
      if (suffix.slice(1) === 's') ending = `${apostrophe}${participle.test(following(i) ?? '') ? 've' : 're'}`
      else if (suffix === '') agree(tokens, i, following)
    }
    tokens[i] = capitalAs(word, forms[target][found]) + ending
  }
  return tokens.join('')
}

/** Puts the verb of the subject at token i into the plural: the word behind it, or behind adverbs. */
function agree(tokens: string[], i: number, following: (i: number, n?: number) => string | undefined): void {
  for (let n = 1; n <= 3; n++) {
    const word = following(i, n)
    if (word === undefined) return
    if (between.test(word)) continue
    tokens[i + 2 * n] = pluralVerb(tokens[i + 2 * n] ?? '')
    return
  }
}
