// Computes ops for scripts/check_ops: a batch of cases a line on stdin, its results as one line on stdout.
import { createInterface } from 'node:readline'
import { compile, constant, TenfoldError, Tensor, vectorJacobianProduct } from '../../dist/index.js'

const ops = await import('../../dist/ops/kit.js')
const arrays = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, uint8: Uint8Array, bool: Uint8Array }

function decodeTensor({ dtype, shape, data }) {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'))
  return constant(new arrays[dtype](bytes.buffer), shape, dtype)
}

function encodeTensor(tensor) {
  const { dtype, shape, data } = tensor.array
  return { dtype, shape, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') }
}

/** An argument with tensors in the place of their numbers: `{ input: i }`, `{ number: 'NaN' }`; null options are left out. */
function argument(value, inputs, isElement = false) {
  if (value === null) return isElement ? null : undefined
  if (Array.isArray(value)) return value.map((entry) => argument(entry, inputs, true))
  if (typeof value !== 'object') return value
  if ('input' in value) return inputs[value.input]
  if ('number' in value) return Number(value.number)
  const entries = Object.entries(value).map(([key, entry]) => [key, argument(entry, inputs)])
  return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined))
}

function tensorsOf(result, pick) {
  if (result instanceof Tensor) return [result]
  return (pick ?? Object.keys(result)).map((key) => result[key])
}

/** The outputs of a case, and the gradients of its inputs where the outputs have the shapes of the cotangents. */
function apply({ op, args, pick, targets }, inputs, cotangents) {
  const given = args.map((value) => argument(value, inputs))
  const outputs = tensorsOf(ops[op](...given), pick)
  const weighted = outputs.flatMap((output, i) =>
    cotangents[i] && output.dtype === 'float32' ? [[output, cotangents[i]]] : [],
  )
  const fits = weighted.every(([output, cotangent]) => output.shape.join() === cotangent.shape.join())
  if (!fits || weighted.length === 0) return { outputs, gradients: [] }
  const gradients = vectorJacobianProduct(
    weighted.map(([output]) => output),
    weighted.map(([, cotangent]) => cotangent),
    targets.map((target) => inputs[target]),
  )
  return { outputs, gradients }
}

const failure = (error) => ({
  kind: error instanceof TenfoldError && !error.cause ? 'refused' : 'crashed',
  message: `${error.name}: ${error.message}`,
})

/** One graph for all cases: a session's start costs more than small ops do. */
async function evaluate(cases) {
  const errors = []
  const run = compile(
    (leaves) =>
      cases.map((one, i) => {
        try {
          return apply(one, leaves[i].inputs, leaves[i].cotangents)
        } catch (error) {
          errors[i] = failure(error)
          return { outputs: [], gradients: [] }
        }
      }),
    { threads: 1 },
  )
  const leaves = cases.map(({ inputs, cotangents }) => ({
    inputs: inputs.map(decodeTensor),
    cotangents: cotangents.map((cotangent) => cotangent && decodeTensor(cotangent)),
  }))
  const results = await run(leaves)
  await run.release()
  return results.map(({ outputs, gradients }, i) => ({
    error: errors[i],
    outputs: outputs.map(encodeTensor),
    gradients: gradients.map(encodeTensor),
  }))
}

/** Halves a batch that fails until the failing cases stand alone. */
async function evaluateApart(cases) {
  try {
    return await evaluate(cases)
  } catch (error) {
    if (cases.length === 1) return [{ error: failure(error), outputs: [], gradients: [] }]
    const half = cases.length >> 1
    return [...(await evaluateApart(cases.slice(0, half))), ...(await evaluateApart(cases.slice(half)))]
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await evaluateApart(JSON.parse(line)))}\n`)
}
