/** Timing of alternative ONNX forms of one computation, each in a session of its own, with preallocated results. */
import { type Compiled, compile } from '../src/compile/compile.ts'
import { applyAll, defineOp, type Emitter } from '../src/ops/index.ts'
import { elementCount } from '../src/tensor/dtype.ts'
import type { Shape } from '../src/tensor/shape.ts'
import { Variable } from '../src/tensor/variable.ts'
import { RandomStream } from '../src/util/random.ts'

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
const threads = 2

function compileForm({ inputs, outputs }: Contest, form: Form): Compiled<[], Record<string, never>> {
  const op = defineOp<object>({
    name: 'form',
    infer: () => outputs.map((shape) => ({ dtype: 'float32', shape })),
    lower: (emit, context) => form(emit, context.inputs),
    samples: () => [],
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

/** Best time of each form in milliseconds: the forms take turns, so that a busy machine slows all of them. */
export async function measure(contest: Contest, seconds = 1.5): Promise<Record<string, number>> {
  const forms = Object.entries(contest.forms).map(([name, form]) => ({
    name,
    run: compileForm(contest, form),
    best: Infinity,
  }))
  for (const { run } of forms) await run()
  const end = performance.now() + 1000 * seconds * forms.length
  while (performance.now() < end) {
    for (const form of forms) {
      for (let repeat = 0; repeat < 5; repeat++) {
        const start = performance.now()
        await form.run()
        form.best = Math.min(form.best, performance.now() - start)
      }
    }
  }
  for (const { run } of forms) await run.release()
  return Object.fromEntries(forms.map(({ name, best }) => [name, best]))
}

/** Prints a contest as one row of times, with GFLOPS where the operations are known. */
export async function report(contest: Contest, seconds?: number): Promise<void> {
  const times = await measure(contest, seconds)
  const cells = Object.entries(times).map(([name, time]) => {
    const rate = contest.operations === undefined ? '' : ` (${(contest.operations / time / 1e6).toFixed(0)} GFLOPS)`
    return `${name} ${time.toFixed(3)} ms${rate}`
  })
  console.log(`${contest.title}: ${cells.join(', ')}`)
}
