/** Variational autoencoder (Kingma and Welling 2013, arXiv 1312.6114), beta-VAE (Higgins et al. 2017), IWAE bound (Burda et al. 2015). */
import { Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Declaration } from '../config.ts'

export const vae = {
  name: 'vae',
  title: 'VAE',
  paper: 'Kingma and Welling 2013, arXiv 1312.6114',
  architecture: 'latent-variable predictive',
  remedy: 'regularised latent',
  energy: 'E(y, z) = -log p(y|z) - log p(z)',
  loss: '-ELBO: expected reconstruction error plus beta KL(q(z|y) || p(z))',
  collapse: 'noise limits what z can say of y: R(z) is the KL divergence to the prior',
} as const satisfies Declaration

/** The names of the reference cases. */
export interface VAEConfig {
  readonly x_dim: number
  readonly hidden: number
  readonly z_dim: number
  /** gaussian: of standard deviation sigma_x; gaussian_learned: the decoder gives mean and log variance. */
  readonly likelihood: 'bernoulli' | 'gaussian' | 'gaussian_learned'
  /** Weight of the KL divergence. */
  readonly beta: number
  readonly sigma_x: number
}

/** What a step computes. S samples of z for each of N inputs. */
export interface VAEStep {
  /** [N, Z] each: q(z|x) = N(mu, exp(logvar)). */
  readonly mu: Tensor
  readonly logvar: Tensor
  /** [S, N, Z] */
  readonly z: Tensor
  /** Logits, means, or means and log variances: [S, N, ...]. */
  readonly decoder_out: Tensor
  /** [S, N] */
  readonly log_px_z: Tensor
  /** [N] */
  readonly kl: Tensor
  /** mean over samples of log p(x|z), less beta KL: [N]. */
  readonly elbo: Tensor
  /** log mean_k p(x|z_k) p(z_k) / q(z_k|x): [N]. */
  readonly iwae: Tensor
  readonly loss: Tensor
}

const log2Pi = Math.log(2 * Math.PI)

/** log N(x; mean, exp(logvar)), summed over the last axis. */
function gaussianLogDensity(x: Tensor, mean: Tensor | number, logvar: Tensor | number): Tensor {
  const scaled = ops.mul(ops.square(ops.sub(x, mean)), ops.exp(ops.neg(logvar)))
  return ops.mul(ops.sum(ops.add(ops.add(scaled, logvar), log2Pi), -1), -0.5)
}

/** KL(N(mu, exp(logvar)) || N(0, 1)), summed over the last axis (appendix B). */
function standardNormalKL(mu: Tensor, logvar: Tensor): Tensor {
  const terms = ops.sub(ops.sub(ops.add(logvar, 1), ops.square(mu)), ops.exp(logvar))
  return ops.mul(ops.sum(terms, -1), -0.5)
}

/** Encoder tanh(enc x) -> mu, logvar; decoder out(tanh(dec z)). */
export class VAE extends Module {
  readonly enc: Linear
  readonly mu: Linear
  readonly logvar: Linear
  readonly dec: Linear
  readonly out: Linear
  readonly #config: VAEConfig

  constructor(config: VAEConfig) {
    super()
    const { x_dim, hidden, z_dim, likelihood } = config
    this.enc = new Linear(x_dim, hidden)
    this.mu = new Linear(hidden, z_dim)
    this.logvar = new Linear(hidden, z_dim)
    this.dec = new Linear(z_dim, hidden)
    this.out = new Linear(hidden, likelihood === 'gaussian_learned' ? 2 * x_dim : x_dim)
    this.#config = config
  }

  /** The mean of q(z|x): [N, Z]. */
  features(x: Tensor): Tensor {
    return this.mu.forward(ops.tanh(this.enc.forward(x)))
  }

  /** What the decoder gives for z [..., Z]. */
  decode(z: Tensor): Tensor {
    return this.out.forward(ops.tanh(this.dec.forward(z)))
  }

  /** log p(x|z) from what the decoder gave, summed over dimensions. */
  logLikelihood(x: Tensor, decoded: Tensor): Tensor {
    const { likelihood, sigma_x } = this.#config
    if (likelihood === 'gaussian') return gaussianLogDensity(x, decoded, 2 * Math.log(sigma_x))
    if (likelihood === 'gaussian_learned') {
      const [mean, logvar] = ops.chunk(decoded, 2, -1) as [Tensor, Tensor]
      return gaussianLogDensity(x, mean, logvar)
    }
    // x log s(l) + (1 - x) log(1 - s(l)) = x l - softplus(l)
    return ops.sum(ops.sub(ops.mul(x, decoded), softplus(decoded)), -1)
  }

  /** x [N, x_dim]; eps [S, N, Z], standard normal noise. */
  forward(x: Tensor, eps: Tensor): VAEStep {
    const h = ops.tanh(this.enc.forward(x))
    const [mu, logvar] = [this.mu.forward(h), this.logvar.forward(h)] // [N, Z]
    const z = ops.add(mu, ops.mul(ops.exp(ops.mul(logvar, 0.5)), eps)) // [S, N, Z]
    const decoder_out = this.decode(z)
    const log_px_z = this.logLikelihood(x, decoder_out) // [S, N]
    const kl = standardNormalKL(mu, logvar)
    const elbo = ops.sub(ops.mean(log_px_z, 0), ops.mul(kl, this.#config.beta))
    const logWeights = ops.sub(ops.add(log_px_z, gaussianLogDensity(z, 0, 0)), gaussianLogDensity(z, mu, logvar))
    const iwae = ops.sub(ops.logSumExp(logWeights, 0), Math.log(sizeOf(eps.shape, 0)))
    return { mu, logvar, z, decoder_out, log_px_z, kl, elbo, iwae, loss: ops.neg(ops.mean(elbo)) }
  }
}

/** log(1 + e^x) without the threshold beyond which PyTorch's is x. */
function softplus(x: Tensor): Tensor {
  return ops.add(ops.relu(x), ops.log1p(ops.exp(ops.neg(ops.abs(x)))))
}
