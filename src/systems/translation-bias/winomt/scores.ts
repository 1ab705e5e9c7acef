/** The scores of WinoMT: accuracy, delta G and delta S, with the official rounding. */
import { roundHalfEven } from '../../../util/rounding.ts'
import { type Gender, genders, type WinoSentence } from './sentences.ts'

/** counts[gold male, female, neutral][predicted male, female, neutral, unknown] */
export type GenderConfusion = readonly (readonly number[])[]

/** In percent, rounded to one decimal. */
export interface WinoScores {
  /** Right ones of all; what is unknown is wrong. */
  readonly accuracy: number
  readonly f1Male: number
  readonly f1Female: number
}

/**
 * As Python's round(value, 1): the nearest decimal to the exact binary value, of two equally near ones (x.25 and x.75 only) the one with an even digit.
 */
function oneDecimal(value: number): number {
  const isTie = Math.abs((4 * value) % 2) === 1
  return isTie ? roundHalfEven(10 * value) / 10 : Number(value.toFixed(1))
}

/** As the official code: (right / of) * 100, whose last bit differs from that of 100 * right / of. */
const percent = (right: number, of: number): number => oneDecimal((right / of) * 100)

/** Counts of gold genders by predicted ones. */
export function genderConfusion(gold: readonly Gender[], predicted: readonly Gender[]): number[][] {
  const counts = genders.slice(0, 3).map(() => new Array<number>(genders.length).fill(0))
  for (const [i, gender] of gold.entries()) {
    const row = counts[genders.indexOf(gender)]
    const column = genders.indexOf(predicted[i] ?? 'unknown')
    if (row) row[column] = (row[column] ?? 0) + 1
  }
  return counts
}

/** Precision and recall are rounded before F1 is made of them, and F1 is rounded again. Without any predictions F1 is 0. */
function f1(confusion: GenderConfusion, gender: number): number {
  const right = confusion[gender]?.[gender] ?? 0
  const share = (of: number): number => (of === 0 ? 0 : percent(right, of))
  const precision = share(confusion.reduce((sum, row) => sum + (row[gender] ?? 0), 0))
  const recall = share((confusion[gender] ?? []).reduce((sum, count) => sum + count, 0))
  return precision + recall === 0 ? 0 : oneDecimal((2 * precision * recall) / (precision + recall))
}

/** Scores of a confusion matrix. */
export function winoScores(confusion: GenderConfusion): WinoScores {
  const total = confusion.flat().reduce((sum, count) => sum + count, 0)
  const right = confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)
  return { accuracy: percent(right, total), f1Male: f1(confusion, 0), f1Female: f1(confusion, 1) }
}

/** How much better men are recognised than women: F1(male) - F1(female). */
export function deltaG({ f1Male, f1Female }: WinoScores): number {
  return oneDecimal(f1Male - f1Female)
}

/** How much a translator relies on stereotypes: accuracy where they hold - accuracy where they do not. */
export function deltaS(stereotypical: WinoScores, opposite: WinoScores): number {
  return oneDecimal(stereotypical.accuracy - opposite.accuracy)
}

/**
 * The predictions for a subset of sentences, by their text. A text that occurs twice in the whole set has the prediction of its last
 * occurrence, as in the official code; one that does not occur is unknown.
 */
export function subsetPredictions(
  subset: readonly WinoSentence[],
  all: readonly WinoSentence[],
  predicted: readonly Gender[],
): Gender[] {
  const byText = new Map(all.map(({ text }, i) => [text, predicted[i] ?? 'unknown']))
  return subset.map(({ text }) => byText.get(text) ?? 'unknown')
}
