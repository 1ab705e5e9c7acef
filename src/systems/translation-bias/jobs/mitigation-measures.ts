/** The counter-measures that the job `translation-bias/mitigation` compares. */
import { type Show, showBest, showDrawn, showRewritten, showSeveral, showTagged } from '../neural/study.ts'
import type { NeuralTranslator } from '../neural/translator.ts'

/** What a counter-measure is, what it changes, and what it asks of whoever uses it. */
export interface Measure {
  readonly name: string
  /** Which of the trained translators it uses. */
  readonly translator: TranslatorName
  readonly show: (translator: NeuralTranslator, seed: number, temperature: number) => Show
  readonly tradeOff: string
}

/** The translators that are trained for them. */
export type TranslatorName = 'first' | 'tagged' | 'balanced' | 'counterfactual' | 'debiased'

/** Every counter-measure, by its name in files. */
export const measures: Readonly<Record<string, Measure>> = {
  none: {
    name: 'none: the likeliest translation',
    translator: 'first',
    show: (translator) => showBest(translator),
    tradeOff: 'the majority is shown as if it were certain',
  },
  beam: {
    name: 'a beam of 4, its best',
    translator: 'first',
    show: (translator) => showSeveral(translator, 1),
    tradeOff: 'as before: a better search is not a fairer one',
  },
  sampling: {
    name: 'drawing',
    translator: 'first',
    show: (translator, seed) => showDrawn(translator, seed),
    tradeOff: 'the same sentence is translated differently each time, and nobody sees that there was a choice',
  },
  calibrated: {
    name: 'drawing at the calibrated temperature',
    translator: 'first',
    show: (translator, seed, temperature) => showDrawn(translator, seed, temperature),
    tradeOff: 'as drawing; repeats the data more exactly, not society, and no balance',
  },
  'two-best': {
    name: 'the two best',
    translator: 'first',
    show: (translator) => showSeveral(translator, 2),
    tradeOff: 'the second best may differ in something else than the gender',
  },
  tagged: {
    name: 'gender tags: both asked for',
    translator: 'tagged',
    show: (translator) => showTagged(translator),
    tradeOff: 'two translations a sentence, and a corpus with tags; only two genders',
  },
  rewriting: {
    name: 'rewriting into the other gender: both shown',
    translator: 'first',
    show: (translator) => showRewritten(translator, 'other'),
    tradeOff: 'needs rules or a model of the target language; names and nouns stay',
  },
  they: {
    name: 'rewriting into "they"',
    translator: 'first',
    show: (translator) => showRewritten(translator, 'they'),
    tradeOff: 'nobody is left out; further from what translators write, and read as plural by some',
  },
  balanced: {
    name: 'balanced data',
    translator: 'balanced',
    show: (translator) => showBest(translator),
    tradeOff: 'what is shown is a coin that fell in training: balanced within, one-sided outside',
  },
  counterfactual: {
    name: 'counterfactual data',
    translator: 'counterfactual',
    show: (translator) => showBest(translator),
    tradeOff: 'as balanced data, for occupations that only ever had one pronoun too',
  },
  'counterfactual-drawn': {
    name: 'counterfactual data, drawing',
    translator: 'counterfactual',
    show: (translator, seed) => showDrawn(translator, seed),
    tradeOff: 'a fair coin, thrown silently',
  },
  debiased: {
    name: 'hard-debiased vectors of the occupations',
    translator: 'debiased',
    show: (translator) => showBest(translator),
    tradeOff: 'takes a direction out of the vectors; what the layers above have learnt stays',
  },
}
