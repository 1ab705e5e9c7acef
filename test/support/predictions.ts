import type { Prediction, Refusal } from '../../src/systems/define.ts'

/** All answers; fails on a refusal. */
export async function predictionsOf(answers: AsyncIterable<Prediction | Refusal>): Promise<Prediction[]> {
  const predictions: Prediction[] = []
  for await (const answer of answers) {
    if ('error' in answer) throw answer.error
    predictions.push(answer)
  }
  return predictions
}
