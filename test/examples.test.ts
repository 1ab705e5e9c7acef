/** Every example, compiled against the built package and run in a short form, as its user would. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  compile,
  constant,
  exportOnnx,
  Generator,
  manualSeed,
  ops,
  readSafetensors,
  type Tensor,
  tensor,
} from '../src/index.ts'
import { decodePng, encodePng } from '../src/io/png.ts'
import { exportDenoiser } from '../src/systems/diffusion/exports.ts'
import { GaussianDiffusion } from '../src/systems/diffusion/gaussian-diffusion.ts'
import { UNetModel } from '../src/systems/diffusion/model.ts'
import { diffusionSettings, processConfig, unetConfig, unetSettings } from '../src/systems/diffusion/settings.ts'
import { langevinDefaults } from '../src/systems/self-supervised/energies/inference.ts'
import { PictureEnergy } from '../src/systems/self-supervised/predictive/energy-model.ts'
import type { Exportable } from '../src/tasks/define.ts'

const root = new URL('..', import.meta.url).pathname
const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'))
// Inside the package, so that `tenfold` means the package itself.
const built = join(root, 'dist', `examples-${process.pid}`)
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenfold-examples-'))
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [compiler, '-p', join(root, 'examples'), '--outDir', built], { stdio: 'pipe' })
  for (const [c, name] of ['dark', 'bright', 'mixed'].entries()) {
    mkdirSync(join(folder, 'pictures', name), { recursive: true })
    for (let i = 0; i < 10; i++) {
      const pixels = Uint8Array.from({ length: 20 * 20 * 3 }, (_, at) =>
        c < 2 ? 120 * c + ((at * i) % 97) : (at * 31 * i) % 256,
      )
      writeFileSync(join(folder, 'pictures', name, `${i}.png`), encodePng(pixels, 20, 20, 3))
    }
  }
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync(built, { recursive: true, force: true })
})

const at = (name: string): string => join(folder, name)

function command(name: string, options: Readonly<Record<string, string | number>>): string[] {
  return [join(built, `${name}.js`), ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])]
}

const run = (name: string, options: Readonly<Record<string, string | number>>, files: readonly string[] = []): string =>
  execFileSync(process.execPath, [...command(name, options), ...files], { cwd: root, encoding: 'utf8', stdio: 'pipe' })

test.each(examples)('%s is short, and uses nothing but the public entries', (name) => {
  const text = readFileSync(join(root, 'examples', name), 'utf8')
  expect(text.split('\n').length).toBeLessThanOrEqual(121)
  const imports = [...text.matchAll(/from '([^']+)'/g)].map(([, target = '']) => target)
  expect(imports.filter((target) => !/^(node:\w+(\/\w+)?|tenfold(\/\w+)?)$/.test(target))).toEqual([])
})

test('the README of the examples names each of them', () => {
  const text = readFileSync(join(root, 'examples', 'README.md'), 'utf8')
  for (const name of examples) expect(text).toContain(`(${name})`)
})

/** An exported model as a file. */
async function exported(name: string, { inputs, forward, metadata }: Exportable): Promise<string> {
  writeFileSync(at(name), await exportOnnx({ inputs, forward, metadata }))
  return at(name)
}

/** A PNG file of one column of gray pictures, as numbers from -1 to 1, without the lines between. */
function columnOf(path: string, side: number): number[] {
  const { pixels, width } = decodePng(readFileSync(path), path)
  expect(width).toBe(side)
  return Array.from(pixels, (value) => value / 127.5 - 1).filter((_, i) => Math.floor(i / side) % (side + 2) < side)
}

/** The tensors of the newest checkpoint as bits, and what was logged, without times. */
function outcome(path: string) {
  const newest =
    readdirSync(join(path, 'checkpoints'))
      .filter((name) => name.startsWith('step-'))
      .sort()
      .at(-1) ?? ''
  const { tensors } = readSafetensors(readFileSync(join(path, 'checkpoints', newest)))
  const bits = [...tensors].map(([name, { data }]) => [
    name,
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
  ])
  const lines = readFileSync(join(path, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return { newest, bits, metrics: lines.map((line) => ({ ...JSON.parse(line), seconds: 0 })) }
}

test('cnn-pictures: killed in the middle and started again, it ends with the same bits as without', async () => {
  const options = { data: at('pictures'), size: 16, epochs: 9 }
  expect(run('cnn-pictures', { ...options, out: at('whole') })).toMatch(
    /(finished|early stop) after \d steps; .* accuracy/,
  )
  const child = spawn(process.execPath, command('cnn-pictures', { ...options, out: at('killed') }), {
    cwd: root,
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  while (!existsSync(join(at('killed'), 'checkpoints', 'step-00000003.safetensors')) && child.exitCode === null)
    await setTimeout(2)
  child.kill('SIGKILL')
  expect(await ended).toEqual([null, 'SIGKILL'])
  run('cnn-pictures', { ...options, out: at('killed') })
  expect(outcome(at('killed'))).toEqual(outcome(at('whole')))
  expect(readFileSync(join(at('whole'), 'report.html'), 'utf8')).toContain('What was said of them')
}, 180_000)

test('character-gpt: learns and writes', () => {
  const output = run('character-gpt', { text: 'LICENSE', out: at('gpt'), steps: 2, prompt: 'The ' })
  expect(output).toMatch(/^perplexity \d+\.\d\d of \d+ characters\nThe [\s\S]{200}\n$/)
})

test('vae-gan: samples of an evaluation and of the end are the same PNG file', () => {
  run('vae-gan', { out: at('gan'), steps: 2, examples: 128 })
  const [sheet] = readdirSync(join(at('gan'), 'snapshots'))
  expect(sheet).toBe('samples-00000002.png')
  expect(readFileSync(join(at('gan'), 'samples.png'))).toEqual(readFileSync(join(at('gan'), 'snapshots', sheet ?? '')))
})

test('fine-tune: the frozen part of a PyTorch file stays, and the exported model computes the same', () => {
  const checkpoint = join(root, 'test', 'fixtures', 'models', 'tiny-resnet.pth')
  const output = run('fine-tune', { checkpoint, data: at('pictures'), out: at('tuned'), size: 32, steps: 2 })
  expect(output).toContain(`72 tensors from ${checkpoint}; new: fc.weight, fc.bias`)
  expect(output).toMatch(/differs from the model by (0\.0e\+0|\d\.\de-\d+) at most/)
})

test('distributed: without mpirun it trains alone', () => {
  run('distributed', { steps: 3, out: at('circle.safetensors') })
  expect(readSafetensors(readFileSync(at('circle.safetensors'))).tensors.size).toBeGreaterThan(0)
})

test('sample-generator: noise and classes go in, as the model has them', async () => {
  const forward = ({ z, y }: Readonly<Record<string, Tensor>>) => {
    const rows = ops.reshape(
      ops.add(
        ops.mul(z as Tensor, 0),
        ops.matmul(
          y as Tensor,
          tensor([
            [-1, -1],
            [1, 1],
          ]),
        ),
      ),
      [-1, 1, 1, 2],
    )
    return { picture: ops.concat([rows, rows], 2) }
  }
  const inputs = { z: { dtype: 'float32', shape: [1, 2] }, y: { dtype: 'float32', shape: [1, 2] } } as const
  const file = await exported('generator.onnx', { inputs, forward, metadata: {} })
  run('sample-generator', { width: 2, classes: 2, count: 4 }, [file, at('drawn.png')])
  const { pixels, width, height } = decodePng(readFileSync(at('drawn.png')), 'drawn.png')
  expect([width, height]).toEqual([14, 2])
  // Black and white in turn, with white lines between.
  expect([...pixels.subarray(0, 14)]).toEqual([0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 255, 255, 255, 255])
})

test('sample-energy: goes down the slope of the energy', async () => {
  manualSeed(1)
  const config = {
    ...langevinDefaults,
    width: 8,
    hidden: 8,
    sigma: 0.03,
    alpha_l2: 0.1,
    p_y_given_x_weight: 1,
    buffer_size: 4,
  }
  const model = new PictureEnergy(config, { image_size: [8, 8], in_channels: 1 })
  const file = await exported('slope.onnx', model.exports().slope())
  run('sample-energy', { size: 8, steps: 30, step: 5, noise: 0, count: 1 }, [file, at('low.png')])
  const start = new Generator(0).uniform(64).map((value) => 2 * value - 1)
  const energy = compile((x: Tensor) => model.energy(x))
  const of = async (data: Float32Array) => (await energy(constant(data, [1, 1, 8, 8], 'float32'))).item()
  expect(await of(Float32Array.from(columnOf(at('low.png'), 8)))).toBeLessThan(await of(start))
})

test('sample-diffusion: with eta 0 the pictures are those of DDIM', async () => {
  const settings = { ...diffusionSettings().parse({}), diffusion_steps: 4 }
  const facts = { labels: ['a', 'b'], image_size: [8, 8] as [number, number], in_channels: 1 as const }
  manualSeed(1)
  const small = {
    model_channels: 8,
    channel_mult: [1, 2],
    num_groups: 4,
    num_head_channels: 8,
    attention_resolutions: [2],
  }
  const model = new UNetModel(unetConfig(unetSettings().parse(small), facts, settings))
  // The last layer begins with zeros: something is to be predicted.
  for (const [name, { shape, size }] of model.namedParameters())
    if (shape.length > 1)
      model
        .variables()
        .get(name)
        ?.set(new Generator(size).normal(size).map((value) => 0.1 * value))
  const file = await exported('denoiser.onnx', exportDenoiser({ model, facts, diffusion: settings }) as Exportable)
  const options = { size: 8, steps: 4, times: 4, eta: 0, classes: 2, count: 1 }
  run('sample-diffusion', options, [file, at('denoised.png')])
  const process = new GaussianDiffusion(processConfig(settings))
  const back = compile((x: Tensor, t: Tensor) => {
    const network = (x: Tensor, times: Tensor) => model.forward(x, times, tensor([0], 'int64'))
    return process.ddimSample(network, x, t).sample
  })
  let x = constant(new Generator(0).normal(64), [1, 1, 8, 8], 'float32')
  for (const t of [3, 2, 1, 0]) x = await back(x, tensor([t], 'int64'))
  const clamped = (await x.numbers()).map((value) => Math.min(1, Math.max(-1, value)))
  const differences = columnOf(at('denoised.png'), 8).map((value, i) => Math.abs(value - Number(clamped[i])))
  expect(Math.max(...differences)).toBeLessThan(1 / 127)
})
