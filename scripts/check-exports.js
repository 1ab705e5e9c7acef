// Networks that PyTorch's exporters wrote, read by `importOnnx`: outputs equal PyTorch's, a step of training changes every weight, and
// what is exported again computes the same. `npm run check:exports` (needs: pip install torch torchvision transformers onnx onnxscript).
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, exportOnnx, manualSeed, ops, optim, readSafetensors } from '../dist/index.js'
import { importOnnx } from '../dist/models/onnx-import/index.js'

const folder = process.argv[2] ?? join('runs', 'onnx-exports')
if (!existsSync(folder)) execFileSync('python3', ['scripts/onnx_exports.py', folder], { stdio: 'inherit' })
manualSeed(1)

const part = (tensors, kind) =>
  new Map(
    [...tensors].filter(([name]) => name.startsWith(`${kind}/`)).map(([name, t]) => [name.slice(kind.length + 1), t]),
  )

const inOrder = (model, found) => model.outputs.map((name) => found[name])

function worst(found, wanted) {
  return [...wanted.values()].reduce((most, { data }, i) => {
    const numbers = found[i].array.data
    const wantedNumbers = Array.from(data, Number)
    const scale = Math.max(...wantedNumbers.map(Math.abs)) || 1
    return Math.max(most, ...wantedNumbers.map((value, j) => Math.abs(value - Number(numbers[j])) / scale))
  }, 0)
}

async function check(file) {
  const bytes = readFileSync(file)
  const { tensors } = readSafetensors(readFileSync(file.replace(/onnx$/, 'safetensors')))
  const [inputs, wanted] = [part(tensors, 'input'), part(tensors, 'output')]
  const model = importOnnx(bytes)
  const batch = Object.fromEntries(inputs)
  const forward = compile((given) => model.forward(given))
  const before = worst(inOrder(model, await forward(batch)), wanted)
  const types = Object.fromEntries([...inputs].map(([name, { dtype, shape }]) => [name, { dtype, shape }]))
  const again = importOnnx(
    await exportOnnx({ inputs: types, forward: (given) => model.forward(given), symbolicBatch: false }),
  )
  const after = worst(inOrder(model, await compile((given) => again.forward(given))(batch)), wanted)
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-3 })
  const step = compile((given) => {
    const outputs = Object.values(model.forward(given)).filter(({ dtype }) => dtype === 'float32')
    const loss = ops.addAll(outputs.map((y) => ops.mean(ops.square(ops.sub(y, 0.5)))))
    optimizer.minimize(loss)
    return { loss }
  })
  const losses = []
  for (let i = 0; i < 5; i++) losses.push((await step(batch)).loss.item())
  const falls = losses.at(-1) < losses[0]
  const line = `${model.weights.size} weights, outputs differ by ${before.toExponential(1)}, exported again ${after.toExponential(1)}, loss ${losses[0].toPrecision(7)} -> ${losses.at(-1).toPrecision(7)}`
  return { ok: before < 1e-4 && after < 1e-4 && falls, line }
}

let failed = 0
const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'))
for (const name of files) {
  try {
    const { ok, line } = await check(join(folder, name))
    if (!ok) failed++
    console.log(`${ok ? 'pass' : 'FAIL'} ${name}: ${line}`)
  } catch (error) {
    failed++
    console.log(
      `FAIL ${name}: ${error.stack.split('\n').slice(0, 3).join(' | ')}${error.hint ? ` (${error.hint})` : ''}`,
    )
  }
}
console.log(`${files.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
