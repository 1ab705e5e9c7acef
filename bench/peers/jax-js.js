/**
 * jax-js with its WebAssembly backend; steps are compiled with `jit`. A function owns its arguments there: what is used
 * again is passed as `.ref`.
 */
import { pathToFileURL } from 'node:url'
import { installed, measure, open, productSize, serve } from './protocol.js'

const entry = installed.resolve('@jax-js/jax').replace(/\.cjs$/, '.js')
const {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  nn,
  numpy: np,
  valueAndGrad,
} = await import(pathToFileURL(entry).href)
await init('wasm')
defaultDevice('wasm')

const linear = (p, x, key) => {
  const shape = x.shape
  const y = np.matmul(x.reshape([-1, shape.at(-1)]), p[`${key}.weight`].transpose()).add(p[`${key}.bias`])
  return y.reshape([...shape.slice(0, -1), -1])
}

const layerNorm = (p, x, key, epsilon) =>
  nn.standardize(x, -1, { epsilon }).mul(p[`${key}.weight`]).add(p[`${key}.bias`])

const mlp = (p, x, key, approximate) => linear(p, nn.gelu(linear(p, x, `${key}.fc1`), { approximate }), `${key}.fc2`)

// Written out: nn.dotProductAttention needs the iterator methods of a newer Node than tenfold does.
const attention = (p, x, key, heads, mask) => {
  const [batch, tokens, width] = x.shape
  const joined = np
    .matmul(x.reshape([-1, width]), p[`${key}.qkv.weight`].transpose())
    .add(p[`${key}.qkv.bias`])
    .reshape([batch, tokens, 3, heads, width / heads])
    .transpose([2, 0, 3, 1, 4])
  const [q, k, v] = np.split(joined, 3, 0).map((part) => part.reshape([batch, heads, tokens, width / heads]))
  const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(width / heads))
  const mixed = np.matmul(nn.softmax(mask ? scores.add(mask) : scores, -1), v)
  return linear(p, mixed.transpose([0, 2, 1, 3]).reshape([batch, tokens, width]), `${key}.proj`)
}

/** What is added to scores so that no token sees a later one. */
const causalMask = (tokens) => np.tri(tokens).sub(1).mul(1e9)

const embedding = (weight, ids) => {
  const { shape } = ids
  const rows = nn.oneHot(ids.reshape([-1]), weight.shape[0])
  return np.matmul(rows, weight).reshape([...shape, -1])
}

const models = {
  'transformer-lm':
    ({ blocks }) =>
    (p, ids) => {
      const tokens = ids.shape[1]
      let x = embedding(p['token.weight'], ids).add(p['position.weight'])
      for (let i = 0; i < blocks; i++) {
        const key = `blocks.${i}`
        x = x.ref.add(attention(p, layerNorm(p, x, `${key}.norm1`, 1e-5), `${key}.attn`, 4, causalMask(tokens)))
        x = x.ref.add(mlp(p, layerNorm(p, x, `${key}.norm2`, 1e-5), `${key}.mlp`, false))
      }
      return linear(p, layerNorm(p, x, 'norm', 1e-5), 'head')
    },
  bert:
    ({ blocks }) =>
    (p, ids) => {
      let x = layerNorm(p, embedding(p['token.weight'], ids).add(p['position.weight']), 'norm', 1e-5)
      for (let i = 0; i < blocks; i++) {
        const key = `blocks.${i}`
        x = layerNorm(p, x.ref.add(attention(p, x, `${key}.attn`, 4)), `${key}.norm1`, 1e-5)
        x = layerNorm(p, x.ref.add(mlp(p, x, `${key}.mlp`, false)), `${key}.norm2`, 1e-5)
      }
      return linear(p, x, 'head')
    },
  mixer:
    ({ blocks }) =>
    (p, image) => {
      const kernel = p['stem.proj.weight']
      const [width, channels, side] = kernel.shape
      const [batch, , height] = image.shape
      const count = height / side
      const patches = image
        .reshape([batch, channels, count, side, count, side])
        .transpose([0, 2, 4, 1, 3, 5])
        .reshape([batch * count ** 2, channels * side ** 2])
      let x = np
        .matmul(patches, kernel.reshape([width, -1]).transpose())
        .add(p['stem.proj.bias'])
        .reshape([batch, count ** 2, width])
      for (let i = 0; i < blocks; i++) {
        const key = `blocks.${i}`
        const turned = layerNorm(p, x.ref, `${key}.norm1`, 1e-6).transpose([0, 2, 1])
        x = x.add(mlp(p, turned, `${key}.mlp_tokens`, true).transpose([0, 2, 1]))
        x = x.ref.add(mlp(p, layerNorm(p, x, `${key}.norm2`, 1e-6), `${key}.mlp_channels`, true))
      }
      return linear(p, layerNorm(p, x, 'norm', 1e-6).mean(1), 'head')
    },
}

const toArray = ({ data, shape, dtype }) =>
  dtype === 'float32'
    ? np.array(data).reshape(shape)
    : np.array(Int32Array.from(data, Number), { dtype: np.int32 }).reshape(shape)

const mapTree = (tree, change) =>
  Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, change(value, key)]))
const referTo = (tree) => mapTree(tree, (array) => array.ref)

function productStep() {
  const size = productSize()
  const random = () => np.array(Float32Array.from({ length: size ** 2 }, Math.random)).reshape([size, size])
  const [a, b] = [random(), random()]
  return async () => {
    const c = np.matmul(a.ref, b.ref)
    await blockUntilReady(c)
    c.dispose()
    return 0
  }
}

/** One step of Adam or AdamW; `rate` and `root` carry the bias corrections. */
function update({ lr, weightDecay }, [p, m, v], gradients, rate, root) {
  const next = [{}, {}, {}]
  for (const [key, gradient] of Object.entries(gradients)) {
    const first = m[key].mul(0.9).add(gradient.ref.mul(0.1))
    const second = v[key].mul(0.999).add(np.square(gradient).mul(0.001))
    const change = first.ref.div(np.sqrt(second.ref).div(root.ref).add(1e-8)).mul(rate.ref)
    next[0][key] = p[key].mul(1 - lr * weightDecay).sub(change)
    next[1][key] = first
    next[2][key] = second
  }
  rate.dispose()
  root.dispose()
  return next
}

function clipped(gradients, clipNorm) {
  if (clipNorm === undefined) return gradients
  const squares = Object.values(gradients).map((gradient) => np.square(gradient.ref).sum())
  const norm = np.sqrt(squares.reduce((a, b) => a.add(b)))
  const factor = np.minimum(np.array(clipNorm).div(norm.add(1e-6)), 1)
  const scaled = mapTree(gradients, (gradient) => gradient.mul(factor.ref))
  factor.dispose()
  return scaled
}

function modelStep() {
  const opened = open()
  const { lr, labelSmoothing, clipNorm } = opened
  const forward = models[opened.kind](opened)
  const [input, target] = [toArray(opened.input), toArray(opened.target)]
  let state = [mapTree(opened.weights, toArray)]
  if (measure === 'infer') {
    const run = jit(forward)
    return async () => {
      const output = run(referTo(state[0]), input.ref)
      await blockUntilReady(output)
      output.dispose()
      return 0
    }
  }
  const lossOf = (p, x, y) => {
    const logits = forward(p, x)
    const classes = logits.shape.at(-1)
    const wanted = nn
      .oneHot(y.reshape([-1]), classes)
      .mul(1 - labelSmoothing)
      .add(labelSmoothing / classes)
    return nn
      .logSoftmax(logits.reshape([-1, classes]), -1)
      .mul(wanted)
      .sum(-1)
      .mean()
      .mul(-1)
  }
  const train = jit((p, m, v, rate, root, x, y) => {
    const [loss, gradients] = valueAndGrad(lossOf)(referTo(p), x, y)
    return [loss, ...update(opened, [p, m, v], clipped(gradients, clipNorm), rate, root)]
  })
  const zeros = () => mapTree(opened.weights, ({ shape }) => np.zeros(shape))
  state = [...state, zeros(), zeros()]
  let count = 0
  return async () => {
    count++
    const [rate, root] = [lr / (1 - 0.9 ** count), Math.sqrt(1 - 0.999 ** count)]
    const [loss, ...next] = train(...state, np.array(rate), np.array(root), input.ref, target.ref)
    state = next
    for (const tree of next) await blockUntilReady(tree)
    return (await loss.data())[0]
  }
}

await serve(measure === 'product' ? productStep() : modelStep())
