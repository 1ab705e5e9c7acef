/** Curves that grow while a run trains: new lines are added to what the server has sent. */
import { addRow } from '../../curves.ts'
import type { Curves, NewLines } from '../../protocol.ts'

/** Adds lines to the curves of their run; false: lines between are missing, and the curves must be asked for again. */
export function addLines(curves: Curves, { kind, from, steps, values }: NewLines): boolean {
  const curve = curves[kind]
  // What was sent before the curves were is in them already.
  const known = curve.rows - from
  if (known < 0) return false
  for (let i = known; i < steps.length; i++)
    addRow(
      curve,
      steps[i] ?? 0,
      Object.entries(values).map(([name, column]) => [name, column[i]] as const),
    )
  return true
}
