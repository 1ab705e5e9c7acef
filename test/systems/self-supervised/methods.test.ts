import { describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { Identity, Linear } from '../../../src/nn/index.ts'
import { skipInit } from '../../../src/nn/init.ts'
import * as ops from '../../../src/ops/index.ts'
import { BertForMaskedLM, maskedLMVariants } from '../../../src/systems/self-supervised/bert.ts'
import { MLPEncoder } from '../../../src/systems/self-supervised/encoder.ts'
import { mlpHead, parseWidths } from '../../../src/systems/self-supervised/heads.ts'
import { BarlowTwins } from '../../../src/systems/self-supervised/methods/barlow-twins.ts'
import { BYOL, BYOLHeads } from '../../../src/systems/self-supervised/methods/byol.ts'
import { DeepCluster, sphericalKMeans } from '../../../src/systems/self-supervised/methods/deepcluster.ts'
import { DINO, teacherTemperatures } from '../../../src/systems/self-supervised/methods/dino.ts'
import { declarations } from '../../../src/systems/self-supervised/methods/index.ts'
import { MaskedAutoencoderViT, maeVariants, randomMasking } from '../../../src/systems/self-supervised/methods/mae.ts'
import { MoCo } from '../../../src/systems/self-supervised/methods/moco.ts'
import { jigsawTiles, NCELossWithMemory, quarterTurns } from '../../../src/systems/self-supervised/methods/pirl.ts'
import { ntXent } from '../../../src/systems/self-supervised/methods/simclr.ts'
import { SimSiam } from '../../../src/systems/self-supervised/methods/simsiam.ts'
import { SwAVHead, sinkhorn } from '../../../src/systems/self-supervised/methods/swav.ts'
import { vicregLoss } from '../../../src/systems/self-supervised/methods/vicreg.ts'
import type { JointEmbedding } from '../../../src/systems/self-supervised/model.ts'
import { fromHaiku, haikuName, loadOfficial, toHaiku } from '../../../src/systems/self-supervised/official.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const normal = (seed: number, ...shape: number[]): Tensor =>
  constant(new Generator(seed).normal(elementCount(shape)), shape, 'float32')

/** The number in a tensor of one. */
const numberOf = async (x: Tensor): Promise<number> => (await x.numbers())[0] ?? Number.NaN

const encoder = (): MLPEncoder => new MLPEncoder(6, [5])

test('every method says where it stands in the taxonomy', () => {
  expect(new Set(declarations.map(({ name }) => name)).size).toBe(declarations.length)
  const row = (name: string) => declarations.find((declaration) => declaration.name === name)
  expect(row('swav')).toMatchObject({ architecture: 'joint embedding', remedy: 'clustering' })
  expect(row('gan')).toMatchObject({ architecture: 'latent-variable predictive', remedy: 'contrastive' })
  expect(row('vae')).toMatchObject({ architecture: 'latent-variable predictive', remedy: 'regularised latent' })
  expect(row('mae')).toMatchObject({ architecture: 'predictive', remedy: 'contrastive' })
})

describe('published sizes', () => {
  // transformers' parameter counts of BertForMaskedLM.
  test.each([
    ['bert-base-uncased', 109_514_298],
    ['bert-large-uncased', 335_174_458],
  ] as const)('%s', (name, count) => {
    const model = skipInit(() => new BertForMaskedLM(maskedLMVariants[name]))
    expect(model.parameters().reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(count)
  })

  test('MAE with ViT-Base: encoder and decoder', () => {
    const model = skipInit(() => new MaskedAutoencoderViT(maeVariants.mae_vit_base_patch16))
    const sizes = [...model.variables()].map(([name, { shape }]) => [name, elementCount(shape)] as const)
    const sum = (wanted: (name: string) => boolean): number =>
      sizes.reduce((total, [name, size]) => total + (wanted(name) ? size : 0), 0)
    const isDecoder = (name: string): boolean => /^(decoder_|mask_token)/.test(name)
    // ViT-B/16 without its head (timm: 85,798,656).
    expect(sum((name) => !isDecoder(name))).toBe(85_798_656)
    expect(sum(() => true)).toBe(111_907_840)
  })
})

describe('SimCLR', () => {
  test('the loss is twice the mean over all 2 N anchors of the cross-entropy', async () => {
    const [n, d, temperature] = [4, 3, 0.5]
    const hidden = normal(1, 2 * n, d)
    const values = await hidden.numbers()
    const rows = Array.from({ length: 2 * n }, (_, i) => values.slice(i * d, (i + 1) * d))
    const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
    const unit = rows.map((row) => row.map((value) => value / Math.sqrt(dot(row, row))))
    const losses = unit.map((row, i) => {
      const others = unit.flatMap((other, j) => (i === j ? [] : [Math.exp(dot(row, other) / temperature)]))
      const own = Math.exp(dot(row, unit[(i + n) % (2 * n)] ?? []) / temperature)
      return -Math.log(own / others.reduce((sum, value) => sum + value, 0))
    })
    const mean = losses.reduce((sum, value) => sum + value, 0) / (2 * n)
    expect(await numberOf(ntXent(hidden, { temperature }).loss)).toBeCloseTo(2 * mean, 5)
  })

  test('says what it needs', () => {
    expect(() => ntXent(normal(1, 3, 2))).toThrow(
      'ntXent: hidden must be [2 N, D], both views one after the other, found float32[3, 2]',
    )
  })
})

describe('MoCo', () => {
  const config = { dim: 3, K: 8, m: 0.5, T: 0.2, mlp: true }

  test('the queue goes round, and the key encoder follows without a gradient', async () => {
    manualSeed(3)
    const model = new MoCo(encoder, config)
    expect([...model.namedParameters().keys()].every((name) => name.startsWith('encoder_q.'))).toBe(true)
    const step = compile((q: Tensor, k: Tensor) => ({ loss: model.forward([q, k]).loss }))
    const before = model.queue.data.slice()
    for (let i = 0; i < 3; i++) await step(normal(i, 4, 6), normal(i + 9, 4, 6))
    await step.release()
    expect(model.queue_ptr.data).toEqual(BigInt64Array.of(4n))
    expect(model.queue.data).not.toEqual(before)
  })

  test('a batch that does not divide the queue is told', () => {
    const model = new MoCo(encoder, config)
    const step = compile((x: Tensor) => model.forward([x, x]).loss)
    return expect(step(normal(1, 3, 6))).rejects.toThrow(
      'MoCo: K must be a multiple of the batch, found K 8 and 3 pictures',
    )
  })

  test('checkpoints of its repository load by their names', () => {
    const [source, target] = [new MoCo(encoder, config), new MoCo(encoder, config)]
    const state = new Map([...source.stateDict()].map(([name, array]) => [`state_dict.module.${name}`, array]))
    loadOfficial(target, state)
    expect(target.stateDict()).toEqual(source.stateDict())
    state.delete('state_dict.module.queue')
    expect(() => loadOfficial(target, state)).toThrow('MoCo: the state dict does not fit: missing queue')
  })
})

describe('SwAV', () => {
  test('codes give each prototype the same share', async () => {
    const q = await sinkhorn(normal(4, 12, 3), { epsilon: 0.5, sinkhorn_iterations: 60 }).numbers()
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
    for (let i = 0; i < 12; i++) expect(sum(q.slice(3 * i, 3 * i + 3))).toBeCloseTo(1, 4)
    for (let k = 0; k < 3; k++) expect(sum(q.filter((_, i) => i % 3 === k))).toBeCloseTo(4, 3)
  })

  test('rows that are not there change nothing', async () => {
    const options = { epsilon: 0.1, sinkhorn_iterations: 3 }
    const scores = normal(5, 4, 3)
    const padded = ops.concat([normal(6, 2, 3), scores], 0)
    const present = ops.greaterOrEqual(ops.arange(6), 2)
    const [alone, among] = [sinkhorn(scores, options), sinkhorn(padded, { ...options, present })]
    const expected = await alone.numbers()
    for (const [i, value] of (await among.numbers()).slice(6).entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 5)
  })

  test('says what it needs', () => {
    const config = {
      hidden_mlp: 4,
      feat_dim: 3,
      nmb_prototypes: 5,
      crops_for_assign: [0, 2],
      temperature: 0.1,
      epsilon: 0.05,
      sinkhorn_iterations: 3,
      queue_length: 0,
    }
    expect(() => new SwAVHead(6, config).forward(normal(1, 8, 6), 2)).toThrow(
      'SwAV: there must be at least two crops of each picture, and those of crops_for_assign [0,2] among them, found 2 of float32[8, 6]',
    )
    expect(() => new SwAVHead(6, { ...config, crops_for_assign: [] })).toThrow(
      'SwAV: crops_for_assign must name a crop, found none',
    )
  })
})

/** Gradients of a method's loss by name. */
async function gradientsOf(model: JointEmbedding, views: readonly Tensor[]): Promise<Map<string, number[]>> {
  const named = [...model.variables()].filter(([, { trainable }]) => trainable)
  const run = compile((given: Tensor[]) =>
    gradient(
      model.forward(given).loss,
      named.map(([, variable]) => variable),
    ),
  )
  const found = (await run([...views])) as Tensor[]
  await run.release()
  return new Map(await Promise.all(named.map(async ([name], i) => [name, (await found[i]?.numbers()) ?? []] as const)))
}

describe('distillation', () => {
  const sizes = { projector_hidden_size: 4, projector_output_size: 3, predictor_hidden_size: 4 }
  const views = [normal(1, 4, 6), normal(2, 4, 6)]

  test('BYOL: the target has no gradient and moves after the online network', async () => {
    manualSeed(1)
    const model = new BYOL(encoder, { ...sizes, base_target_ema: 0.9, max_steps: 10 })
    const gradients = await gradientsOf(model, views)
    for (const [name, values] of gradients)
      if (name.startsWith('target.')) expect(values.every((value) => value === 0)).toBe(true)
    model.online.heads.projector.parameters()[0]?.set(new Float32Array(20).fill(1))
    model.target.heads.projector.variables().get('0.weight')?.set(new Float32Array(20))
    const update = compile(() => void model.afterUpdate())
    await update()
    await update.release()
    expect(model.target.heads.projector.variables().get('0.weight')?.data[0]).toBeCloseTo(0.1, 6)
  })

  test('DINO: the centre follows the teacher', async () => {
    manualSeed(1)
    const model = new DINO(encoder, {
      out_dim: 4,
      use_bn: false,
      norm_last_layer: true,
      nlayers: 1,
      hidden_dim: 4,
      bottleneck_dim: 3,
      ncrops: 2,
      student_temp: 0.1,
      teacher_temp: 0.04,
      center_momentum: 0.9,
      momentum_teacher: 0.99,
      max_steps: 10,
    })
    const step = compile((a: Tensor, b: Tensor) => model.forward([a, b]).loss)
    await step(normal(1, 4, 6), normal(2, 4, 6))
    await step.release()
    expect(model.dino_loss.center.data.some((value) => value !== 0)).toBe(true)
  })

  test('SimSiam: the target has no gradient, the frozen bias is no parameter', async () => {
    manualSeed(1)
    const model = new SimSiam(encoder(), { dim: 3, pred_dim: 2 })
    expect(model.namedParameters().has('encoder.fc.6.bias')).toBe(false)
    expect(model.variables().has('encoder.fc.6.bias')).toBe(true)
    expect((await gradientsOf(model, views)).get('predictor.3.weight')?.some((value) => value !== 0)).toBe(true)
  })

  test('the teacher warms up', () => {
    const settings = { warmup_teacher_temp: 0.04, teacher_temp: 0.07, nepochs: 5 }
    expect(teacherTemperatures({ ...settings, warmup_teacher_temp_epochs: 4 })).toEqual([
      0.04,
      expect.closeTo(0.05, 9),
      expect.closeTo(0.06, 9),
      expect.closeTo(0.07, 9),
      0.07,
    ])
    expect(teacherTemperatures({ ...settings, warmup_teacher_temp_epochs: 1 })[0]).toBe(0.04)
  })

  test("BYOL's heads in Haiku's layout and back", () => {
    const heads = new BYOLHeads(6, sizes)
    const haiku = toHaiku(heads.stateDict())
    expect(haikuName('projector.0.weight')).toBe('projector/linear/w')
    expect(haiku.get('projector/linear/w')?.shape).toEqual([6, 4])
    expect(haiku.get('predictor/batch_norm/scale')?.shape).toEqual([1, 4])
    const other = new BYOLHeads(6, sizes)
    other.loadStateDict(fromHaiku(other, haiku), { strict: false })
    expect(toHaiku(other.stateDict())).toEqual(haiku)
  })
})

describe('information maximisation', () => {
  test('VICReg: equal embeddings cost the whole variance term, and nothing else', async () => {
    const equal = ops.ones([8, 4])
    const { repr_loss, std_loss, cov_loss } = vicregLoss(equal, equal, { sim_coeff: 25, std_coeff: 25, cov_coeff: 1 })
    expect(await numberOf(repr_loss)).toBe(0)
    expect(await numberOf(cov_loss)).toBe(0)
    expect(await numberOf(std_loss)).toBeCloseTo(0.99, 5)
  })

  test('Barlow Twins: the diagonal of equal views is 1', async () => {
    manualSeed(2)
    const model = new BarlowTwins(encoder(), { projector: [4], lambd: 0.005 })
    const step = compile((x: Tensor) => ops.diagonal(model.forward([x, x]).c))
    for (const value of await (await step(normal(3, 16, 6))).numbers()) expect(value).toBeCloseTo(1, 2)
    await step.release()
  })
})

describe('clustering', () => {
  test('k-means finds groups that point different ways, and fills an empty one', async () => {
    const rows = Float32Array.from([1, 0.1, 2, -0.1, 1, 0, -0.1, 1, 0, 3, 0.1, 2])
    const { means, groups } = await sphericalKMeans({ dtype: 'float32', shape: [6, 2], data: rows }, 2, 10, 1)
    expect(new Set(groups.slice(0, 3)).size).toBe(1)
    expect(new Set(groups.slice(3)).size).toBe(1)
    expect(groups[0]).not.toBe(groups[3])
    for (const k of [0, 1]) expect(Math.hypot(means[2 * k] ?? 0, means[2 * k + 1] ?? 0)).toBeCloseTo(1, 5)
  })

  test('DeepCluster predicts the group that a picture had before the epoch', async () => {
    manualSeed(1)
    const config = { nmb_prototypes: 2, hidden_mlp: 4, feat_dim: 2, temperature: 0.1, kmeans_iters: 3 }
    const model = new DeepCluster(encoder(), 4, config)
    const rows = Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1)
    await model.regroup({ dtype: 'float32', shape: [4, 2], data: rows }, 0)
    const groups = [...model.assignments.data].map(Number)
    expect([groups[0], groups[2]]).toEqual([groups[1], groups[3]])
    const views = [normal(1, 4, 6), normal(2, 4, 6)]
    const step = compile((a: Tensor, b: Tensor) => model.forward([a, b], ops.arange(4)).loss)
    expect(await (await step(normal(1, 4, 6), normal(2, 4, 6))).item()).toBeGreaterThan(0)
    await step.release()
    expect(() => model.forward(views)).toThrow('DeepCluster: the step must be given the places of its pictures')
  })
})

describe('what PIRL does to pictures', () => {
  const picture = constant(
    Float32Array.from({ length: 16 }, (_, i) => i),
    [1, 1, 4, 4],
    'float32',
  )

  test('nine tiles; what does not divide is left out', async () => {
    const tiles = jigsawTiles(picture)
    expect(tiles.shape).toEqual([9, 1, 1, 1])
    expect(await tiles.numbers()).toEqual([0, 1, 2, 4, 5, 6, 8, 9, 10])
  })

  test('quarter turns keep all pixels', async () => {
    manualSeed(3)
    const run = compile((x: Tensor) => quarterTurns(ops.expand(x, [16, 1, 4, 4])))
    const turned = await (await run(picture)).numbers()
    await run.release()
    const corners = Array.from({ length: 16 }, (_, n) => turned[16 * n])
    expect(new Set(corners)).toEqual(new Set([0, 3, 12, 15]))
    for (let n = 0; n < 16; n++)
      expect(turned.slice(16 * n, 16 * (n + 1)).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 16 }, (_, i) => i),
      )
  })
})

describe('MAE', () => {
  test('keeps the patches with the least noise', async () => {
    const { ids_keep, mask } = randomMasking(constant(Float32Array.of(0.3, 0.1, 0.9, 0.2), [1, 4], 'float32'), 0.5)
    expect(await ids_keep.numbers()).toEqual([1, 3])
    expect(await mask.numbers()).toEqual([1, 0, 1, 0])
  })

  test('says what it needs', () => {
    const config = { ...maeVariants.mae_vit_base_patch16, depth: 0, decoder_depth: 0 }
    expect(() => new MaskedAutoencoderViT({ ...config, img_size: 30 })).toThrow(
      'MAE: pictures of 30x30 pixels cannot be cut into patches of 16x16',
    )
    expect(() => new MaskedAutoencoderViT({ ...config, embed_dim: 6 })).toThrow(
      'MAE: embed_dim and decoder_embed_dim must be multiples of 4, for sines and cosines of rows and columns, found 6 and 512',
    )
  })
})

describe('parts', () => {
  test('heads are numbered as in PyTorch', () => {
    const names = [...mlpHead([3, 4, 2], { bias: false, lastNorm: 'plain' }).namedParameters().keys()]
    expect(names).toEqual(['0.weight', '1.weight', '1.bias', '3.weight', '3.bias'])
    expect(parseWidths('8-16')).toEqual([8, 16])
    expect(() => parseWidths('8-a')).toThrow('a projector must be widths like 8192-8192-8192, found "8-a"')
    expect(() => mlpHead([3])).toThrow('mlpHead: sizes must be [in, ..., out], found [3]')
  })

  test('an encoder gives its representation or what is put behind it', async () => {
    const plain = encoder()
    expect(plain.forward(normal(1, 2, 6)).shape).toEqual([2, 5])
    plain.fc = new Linear(5, 3)
    expect(plain.forward(normal(1, 2, 6)).shape).toEqual([2, 3])
    expect([...plain.namedParameters().keys()]).toContain('fc.weight')
    expect(new MLPEncoder(12, [], new Identity()).features(normal(1, 2, 3, 2, 2)).shape).toEqual([2, 12])
  })

  test("PIRL's memory needs an embedding that renews it", () => {
    const config = {
      num_train_samples: 5,
      embedding_dim: 3,
      temperature: 0.07,
      momentum: 0.5,
      loss_type: 'nce',
      norm_constant: -1,
      norm_embedding: true,
      norm_init: true,
      loss_weights: [1],
      update_mem_on_forward: false,
      update_mem_with_emb_index: -1,
    } as const
    expect(() => new NCELossWithMemory(config)).toThrow(
      'PIRL: an embedding must renew the memory, found update_mem_on_forward false and update_mem_with_emb_index -1',
    )
    const bank = new NCELossWithMemory({ ...config, update_mem_on_forward: true })
    expect(() => bank.forward([normal(1, 2, 3)], ops.arange(2), [])).toThrow(
      'PIRL: there must be a loss weight and negatives for each embedding, found 1 embeddings, 1 weights, 0 lists of negatives',
    )
  })
})
