/**
 * A VAE-GAN (Larsen et al. 2016, arXiv 1512.09300) on MNIST: an encoder and a decoder learn by one optimizer, a discriminator by another,
 * in one step. What the discriminator sees in a picture is the measure of how well it is rebuilt. Samples of every evaluation are PNG files.
 *
 *   npm run example -- vae-gan [--out RUN] [--examples N] [--steps N]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compile, constant, Generator, manualSeed, nn, ops, optim, type Tensor } from 'tenfold'
import { DataLoader, encodePng, loadMnist, subset } from 'tenfold/data'
import { pictureSheet, picturesOf } from 'tenfold/report'
import { trainModel } from 'tenfold/train'

const { values: given } = parseArgs({
  options: {
    out: { type: 'string', default: 'runs/vae-gan' },
    examples: { type: 'string', default: '10000' },
    steps: { type: 'string', default: '600' },
  },
})
const steps = Number(given.steps)
const [latent, width] = [16, 16]

/** 28 x 28 -> 7 x 7. */
const halves = (from: number, slope: number) => [
  new nn.Conv2d(from, width, 4, { stride: 2, padding: 1 }),
  new nn.LeakyReLU(slope),
  new nn.Conv2d(width, 2 * width, 4, { stride: 2, padding: 1 }),
  new nn.LeakyReLU(slope),
  new nn.Flatten(),
]
const flat = 2 * width * 7 * 7

class Encoder extends nn.Module {
  readonly layers = new nn.Sequential(...halves(1, 0), new nn.Linear(flat, 2 * latent))

  /** Pictures [N, 1, 28, 28] -> mean and logarithm of the variance, [N, latent] each. */
  forward(pictures: Tensor): readonly Tensor[] {
    return ops.chunk(this.layers.forward(pictures), 2, 1)
  }
}

class Decoder extends nn.Module {
  readonly first = new nn.Linear(latent, flat)
  readonly layers = new nn.Sequential(
    new nn.ReLU(),
    new nn.ConvTranspose2d(2 * width, width, 4, { stride: 2, padding: 1 }),
    new nn.ReLU(),
    new nn.ConvTranspose2d(width, 1, 4, { stride: 2, padding: 1 }),
    new nn.Tanh(),
  )

  /** Codes [N, latent] -> pictures [N, 1, 28, 28], -1 to 1. */
  forward(codes: Tensor): Tensor {
    return this.layers.forward(ops.reshape(this.first.forward(codes), [-1, 2 * width, 7, 7]))
  }
}

class Discriminator extends nn.Module {
  readonly layers = new nn.Sequential(...halves(1, 0.2))
  readonly head = new nn.Linear(flat, 1)

  /** Pictures -> features [N, flat], and the logit of being real [N, 1]. */
  forward(pictures: Tensor): { readonly features: Tensor; readonly logit: Tensor } {
    const features = this.layers.forward(pictures)
    return { features, logit: this.head.forward(features) }
  }
}

manualSeed(1)
const [encoder, decoder, discriminator] = [new Encoder(), new Decoder(), new Discriminator()]
const options = { lr: 5e-4, betas: [0.5, 0.999] } as const
const codeOptimizer = new optim.Adam([...encoder.parameters(), ...decoder.parameters()], options)
const realOptimizer = new optim.Adam(discriminator.parameters(), options)
const judged = (logit: Tensor, isReal: number) => ops.mean(ops.softplus(isReal ? ops.neg(logit) : logit))

const digits = await loadMnist('train')
const data = subset(digits, [...Array(Math.min(Number(given.examples), digits.length)).keys()])
const decode = compile((codes: Tensor) => decoder.forward(codes))
const codes = constant(new Generator(1).normal(64 * latent), [64, latent], 'float32')

async function samples() {
  return pictureSheet(picturesOf((await decode(codes)).array))
}

const result = await trainModel<'image' | 'label'>({
  folder: given.out,
  state: { encoder, decoder, discriminator, codeOptimizer, realOptimizer },
  loader: new DataLoader(data, { batchSize: 64, shuffle: true, seed: 1, dropLast: true }),
  step: ({ image }) => {
    const pictures = ops.unsqueeze(ops.sub(ops.div(ops.cast(image, 'float32'), 127.5), 1), 1) // [N, 1, 28, 28]
    const [mean, logVariance] = encoder.forward(pictures) as [Tensor, Tensor]
    const code = ops.add(mean, ops.mul(ops.exp(ops.mul(logVariance, 0.5)), ops.randomNormal(mean.shape)))
    const rebuilt = decoder.forward(code)
    const drawn = discriminator.forward(decoder.forward(ops.randomNormal(mean.shape)))
    const [real, again] = [discriminator.forward(pictures), discriminator.forward(rebuilt)]
    const excess = ops.sub(ops.add(ops.exp(logVariance), ops.square(mean)), ops.add(logVariance, 1))
    const divergence = ops.mul(ops.mean(excess), 0.5) // from the normal distribution, for each number of a code
    const likeness = ops.mean(ops.square(ops.sub(real.features, again.features)))
    const fooling = ops.add(judged(again.logit, 1), judged(drawn.logit, 1))
    const loss = ops.addAll([likeness, ops.mul(divergence, 0.02), ops.mul(fooling, 0.02)])
    const telling = ops.addAll([judged(real.logit, 1), judged(again.logit, 0), judged(drawn.logit, 0)])
    // Both count with the weights of before the step: each changes its own networks only.
    codeOptimizer.minimize(loss)
    realOptimizer.minimize(telling)
    return { loss, likeness, divergence, telling }
  },
  snapshot: async () => ({ samples: await samples() }),
  evaluateEvery: 200,
  steps,
  report: true,
})
const { pixels, width: across, height, channels } = await samples()
writeFileSync(`${given.out}/samples.png`, encodePng(pixels, across, height, channels))
console.log(`${result.reason} after ${result.step} steps: ${given.out}/samples.png`)
