/** Timing of alternative ONNX forms of one computation, each in a session of its own, with preallocated results. */
import { type Compiled, compile } from '../../src/compile/compile.ts'
import { applyAll, defineOp, type Emitter } from '../../src/ops/kit.ts'
import { elementCount } from '../../src/tensor/dtype.ts'
import type { Shape } from '../../src/tensor/shape.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { RandomStream } from '../../src/util/random.ts'

/** The nodes of one form: names of the inputs to names of the outputs. */
export type Form = (emit: Emitter, inputs: readonly string[]) => string | readonly string[]

/** What is computed: shapes of the inputs and outputs, and the forms that compute it. */
export interface Contest {
  readonly title: string
  readonly inputs: readonly Shape[]
  readonly outputs: readonly Shape[]
  readonly forms: Readonly<Record<string, Form>>
  /** Floating-point operations of the computation, for a rate beside the time. */
  readonly operations?: number
}

// The runtime's own optimiser is off: it would turn one form into another.
export const threads = 2

function compileForm({ inputs, outputs }: Contest, form: Form): Compiled<[], unknown> {
  const op = defineOp<object>({
    name: 'form',
    infer: () => outputs.map((shape) => ({ dtype: 'float32', shape })),
    lower: (emit, context) => form(emit, context.inputs),
    samples: () => [],
    errors: 'every tensor is valid',
  })
  const variables = inputs.map((shape, i) => {
    const data = new RandomStream(1).uniform(0, i, elementCount(shape)).map((value) => value - 0.5)
    return new Variable(shape, { data })
  })
  const results = outputs.map((shape) => new Variable(shape))
  return compile(
    () => {
      const values = applyAll(
        op,
        variables.map((variable) => variable.value),
        {},
      )
      for (const [i, result] of results.entries()) if (values[i]) result.assign(values[i])
      return {}
    },
    { threads, optimize: false },
  )
}

/** Best time of each function in milliseconds: they take turns, so that a busy machine slows all of them. Frees them. */
export async function takeTurns(
  functions: Readonly<Record<string, Compiled<[], unknown>>>,
  seconds = 1.5,
): Promise<Record<string, number>> {
  const entries = Object.entries(functions).map(([name, run]) => ({ name, run, best: Infinity }))
  for (const { run } of entries) await run()
  const end = performance.now() + 1000 * seconds * entries.length
  while (performance.now() < end) {
    for (const entry of entries) {
      for (let repeat = 0; repeat < 5; repeat++) {
        const start = performance.now()
        await entry.run()
        entry.best = Math.min(entry.best, performance.now() - start)
      }
    }
  }
  for (const { run } of entries) await run.release()
  return Object.fromEntries(entries.map(({ name, best }) => [name, best]))
}

/** `a 1.234 ms, b 2.345 ms`, with GFLOPS where the operations are known. */
export function describeTimes(times: Readonly<Record<string, number>>, operations?: number): string {
  const cells = Object.entries(times).map(([name, time]) => {
    const rate = operations === undefined ? '' : ` (${(operations / time / 1e6).toFixed(0)} GFLOPS)`
    return `${name} ${time.toFixed(3)} ms${rate}`
  })
  return cells.join(', ')
}

/** Best time of each form in milliseconds. */
export async function measure(contest: Contest, seconds?: number): Promise<Record<string, number>> {
  const functions = Object.entries(contest.forms).map(([name, form]) => [name, compileForm(contest, form)] as const)
  return takeTurns(Object.fromEntries(functions), seconds)
}

/** Prints a contest as one row of times. */
export async function report(contest: Contest, seconds?: number): Promise<void> {
  console.log(`${contest.title}: ${describeTimes(await measure(contest, seconds), contest.operations)}`)
}
