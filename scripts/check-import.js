// The official tests of ONNX's operators (inside PyPI's `onnx`) against `importOnnx`: `npm run check:import -- [NAME...]`, for some those
// whose names contain NAME. Needs: pip install onnx. Ends with what is not supported, and why.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { TensorProtoSchema } from 'onnx-buf'
import { compile } from '../dist/index.js'
import { readTensor } from '../dist/models/onnx-import/elements.js'
import { importOnnx, UnsupportedError } from '../dist/models/onnx-import/index.js'
import { asTensor } from '../dist/models/onnx-import/values.js'
import { TenfoldError } from '../dist/util/errors.js'

const chosen = process.argv.slice(2)
const folder = join('runs', 'onnx-node-tests')
if (!existsSync(folder)) execFileSync('python3', ['scripts/onnx_node_tests.py', folder], { stdio: 'inherit' })

const half = 16 // TensorProto.BFLOAT16
const read = (file) => {
  const proto = fromBinary(TensorProtoSchema, readFileSync(file))
  return { tensor: asTensor(readTensor(proto)), tolerance: proto.dataType === half ? 1e-2 : 1e-3 }
}
const tensorsOf = (set, kind) =>
  readdirSync(set)
    .filter((name) => name.startsWith(kind))
    .sort((a, b) => Number(a.match(/\d+/)) - Number(b.match(/\d+/)))
    .map((name) => read(join(set, name)))

function difference(found, { tensor: wanted, tolerance }) {
  if (found.shape.join() !== wanted.shape.join()) return `shape [${found.shape}] instead of [${wanted.shape}]`
  const [a, b] = [found.array.data, wanted.array.data].map((data) => Array.from(data, Number))
  const i = a.findIndex(
    (x, i) => !(Object.is(x, b[i]) || x === b[i] || Math.abs(x - b[i]) <= 1e-6 + tolerance * Math.abs(b[i])),
  )
  return i < 0 ? undefined : `element ${i} is ${a[i]} instead of ${b[i]}`
}

/** Shapes, axes and sizes must be known when a model is traced: those are captured instead of passed. */
async function outputsOf(forward, given) {
  try {
    return await compile((...tensors) => forward(tensors))(...given)
  } catch (error) {
    if (!(error instanceof UnsupportedError) || !error.message.includes('must be known')) throw error
    const isPassed = given.map(({ dtype }) => dtype === 'float32')
    const captured = (tensors) =>
      given.map((tensor, i) => (isPassed[i] ? tensors[isPassed.slice(0, i).filter(Boolean).length] : tensor))
    const passed = given.filter((_, i) => isPassed[i])
    if (forward(given) && passed.length === given.length) return compile(() => forward(given))()
    return compile((...tensors) => forward(captured(tensors)))(...passed)
  }
}

async function check(path) {
  const model = importOnnx(readFileSync(join(path, 'model.onnx')))
  const [inputs, wanted] = [tensorsOf(path, 'input'), tensorsOf(path, 'output')]
  const names = model.inputs.map(({ name }) => name)
  const given = inputs.slice(0, names.length).map(({ tensor }) => tensor)
  const forward = (tensors) => model.forward(Object.fromEntries(names.map((name, i) => [name, tensors[i]])))
  const found = Object.values(await outputsOf(forward, given))
  for (const [i, tensor] of found.entries()) {
    const wrong = difference(tensor, wanted[i])
    if (wrong) return `output ${i}: ${wrong}`
  }
  return undefined
}

const results = { passed: [], failed: [], unsupported: [] }
for (const name of readdirSync(folder).sort()) {
  if (chosen.length > 0 && !chosen.some((part) => name.includes(part))) continue
  try {
    const wrong = await check(join(folder, name))
    if (wrong === undefined) results.passed.push(name)
    else results.failed.push(`${name}: ${wrong}`)
  } catch (error) {
    // int64 above 2^53 are not held.
    if (error instanceof UnsupportedError || /int64 holds a whole number/.test(error.message))
      results.unsupported.push(`${name}: ${error.message}`)
    else results.failed.push(`${name}: ${error instanceof TenfoldError ? error.message : error.stack}`)
  }
}
const reasons = new Map()
for (const line of results.unsupported) {
  const reason = line.slice(line.indexOf(': ') + 2).replace(/"[^"]*" ?/, '')
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
}
for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1]))
  console.log(`${String(count).padStart(5)} not supported: ${reason}`)
for (const line of results.failed) console.log(`FAIL ${line.slice(0, 400)}`)
console.log(
  `${results.passed.length} passed, ${results.failed.length} failed, ${results.unsupported.length} not supported`,
)
process.exit(results.failed.length > 0 ? 1 : 0)
