/** TensorFlow.js with its WebAssembly backend. In Node it has no threads: one core. */
import { dirname } from 'node:path'
import { installed, measure, open, productSize, serve } from './protocol.js'

const tf = installed('@tensorflow/tfjs')
const { setWasmPaths } = installed('@tensorflow/tfjs-backend-wasm')
setWasmPaths(`${dirname(installed.resolve('@tensorflow/tfjs-backend-wasm'))}/`)
await tf.setBackend('wasm')

const linear = (p, x, key) => {
  const width = x.shape.at(-1)
  const y = tf.matMul(x.reshape([-1, width]), p[`${key}.weight`], false, true).add(p[`${key}.bias`])
  return y.reshape([...x.shape.slice(0, -1), -1])
}

const layerNorm = (p, x, key, epsilon) => {
  const { mean, variance } = tf.moments(x, -1, true)
  const normal = x.sub(mean).mul(variance.add(epsilon).rsqrt())
  return normal.mul(p[`${key}.weight`]).add(p[`${key}.bias`])
}

const geluErf = (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1))
const geluTanh = (x) => {
  const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI))
  return x.mul(0.5).mul(inner.tanh().add(1))
}

const mlp = (p, x, key, gelu) => linear(p, gelu(linear(p, x, `${key}.fc1`)), `${key}.fc2`)

const attention = (p, x, key, heads, mask) => {
  const [batch, tokens, width] = x.shape
  const joined = tf.matMul(x.reshape([-1, width]), p[`${key}.qkv.weight`], false, true).add(p[`${key}.qkv.bias`])
  const [q, k, v] = tf.unstack(joined.reshape([batch, tokens, 3, heads, width / heads]).transpose([2, 0, 3, 1, 4]))
  const scores = tf.matMul(q, k, false, true).mul(1 / Math.sqrt(width / heads))
  const mixed = tf.matMul(tf.softmax(mask ? scores.add(mask) : scores), v)
  return linear(p, mixed.transpose([0, 2, 1, 3]).reshape([batch, tokens, width]), `${key}.proj`)
}

// The backend has no kernel for the gradient of a gather; a product with one-hot rows has one.
const embedding = (weight, ids) =>
  measure === 'infer'
    ? tf.gather(weight, ids)
    : tf.matMul(tf.oneHot(ids.flatten(), weight.shape[0]).cast('float32'), weight).reshape([...ids.shape, -1])

const models = {
  'transformer-lm': ({ blocks, input }) => {
    const tokens = input.shape[1]
    const hidden = Float32Array.from({ length: tokens ** 2 }, (_, i) =>
      i % tokens > Math.floor(i / tokens) ? Number.NEGATIVE_INFINITY : 0,
    )
    const mask = tf.tensor(hidden, [tokens, tokens])
    return (p, ids) => {
      let x = embedding(p['token.weight'], ids).add(p['position.weight'])
      for (let i = 0; i < blocks; i++) {
        const key = `blocks.${i}`
        x = x.add(attention(p, layerNorm(p, x, `${key}.norm1`, 1e-5), `${key}.attn`, 4, mask))
        x = x.add(mlp(p, layerNorm(p, x, `${key}.norm2`, 1e-5), `${key}.mlp`, geluErf))
      }
      return linear(p, layerNorm(p, x, 'norm', 1e-5), 'head')
    }
  },
  bert:
    ({ blocks }) =>
    (p, ids) => {
      let x = layerNorm(p, embedding(p['token.weight'], ids).add(p['position.weight']), 'norm', 1e-5)
      for (let i = 0; i < blocks; i++) {
        const key = `blocks.${i}`
        x = layerNorm(p, x.add(attention(p, x, `${key}.attn`, 4)), `${key}.norm1`, 1e-5)
        x = layerNorm(p, x.add(mlp(p, x, `${key}.mlp`, geluErf)), `${key}.norm2`, 1e-5)
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
        .reshape([batch * channels, count, side, count, side])
        .transpose([0, 1, 3, 2, 4])
        .reshape([batch, channels, count ** 2, side ** 2])
        .transpose([0, 2, 1, 3])
        .reshape([batch * count ** 2, channels * side ** 2])
      let x = tf
        .matMul(patches, kernel.reshape([width, -1]), false, true)
        .add(p['stem.proj.bias'])
        .reshape([batch, count ** 2, width])
      for (let i = 0; i < blocks; i++) {
        const key = `blocks.${i}`
        const turned = layerNorm(p, x, `${key}.norm1`, 1e-6).transpose([0, 2, 1])
        x = x.add(mlp(p, turned, `${key}.mlp_tokens`, geluTanh).transpose([0, 2, 1]))
        x = x.add(mlp(p, layerNorm(p, x, `${key}.norm2`, 1e-6), `${key}.mlp_channels`, geluTanh))
      }
      return linear(p, layerNorm(p, x, 'norm', 1e-6).mean(1), 'head')
    },
}

const toTensor = ({ data, shape, dtype }) =>
  dtype === 'float32' ? tf.tensor(data, shape) : tf.tensor(Int32Array.from(data, Number), shape, 'int32')

function productStep() {
  const size = productSize()
  const [a, b] = [tf.randomUniform([size, size]), tf.randomUniform([size, size])]
  return async () => {
    const c = tf.matMul(a, b)
    await c.data()
    c.dispose()
    return 0
  }
}

function modelStep() {
  const opened = open()
  const { lr, weightDecay, labelSmoothing, clipNorm } = opened
  const forward = models[opened.kind](opened)
  const p = Object.fromEntries(
    Object.entries(opened.weights).map(([key, array]) => [key, tf.variable(toTensor(array), true, key)]),
  )
  const [input, target] = [toTensor(opened.input), toTensor(opened.target)]
  if (measure === 'infer') {
    return async () => {
      const output = tf.tidy(() => forward(p, input))
      await output.data()
      output.dispose()
      return 0
    }
  }
  const optimizer = tf.train.adam(lr, 0.9, 0.999, 1e-8)
  const lossOf = () => {
    const logits = forward(p, input)
    const classes = logits.shape.at(-1)
    const wanted = tf
      .oneHot(target.flatten(), classes)
      .mul(1 - labelSmoothing)
      .add(labelSmoothing / classes)
    return tf
      .logSoftmax(logits.reshape([-1, classes]))
      .mul(wanted)
      .sum(-1)
      .mean()
      .neg()
  }
  return async () => {
    const loss = tf.tidy(() => {
      const { value, grads } = optimizer.computeGradients(lossOf)
      if (weightDecay) for (const weight of Object.values(p)) weight.assign(weight.mul(1 - lr * weightDecay))
      if (clipNorm === undefined) optimizer.applyGradients(grads)
      else {
        const norm = tf.sqrt(tf.addN(Object.values(grads).map((gradient) => gradient.square().sum())))
        const factor = tf.minimum(tf.div(clipNorm, norm.add(1e-6)), 1)
        optimizer.applyGradients(
          Object.fromEntries(Object.entries(grads).map(([key, gradient]) => [key, gradient.mul(factor)])),
        )
      }
      return value
    })
    const [number] = await loss.data()
    loss.dispose()
    return number
  }
}

await serve(measure === 'product' ? productStep() : modelStep())
