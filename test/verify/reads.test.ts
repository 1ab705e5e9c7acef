import { readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { systems } from '../../src/systems/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { CaseTensors, refuseUnread, SettingsReads } from '../../src/verify/reads.ts'
import { verify } from '../../src/verify/run.ts'

const rules = systems.flatMap(({ targets = [] }) => targets)

interface Entry {
  readonly name: string
  readonly args: Record<string, unknown>
  readonly inputs: string[]
}

interface Description {
  readonly case: string
  readonly config: Record<string, unknown>
  readonly inputs: string[]
  readonly cases?: Entry[]
}

interface Case {
  readonly description: Description
  readonly tensors: Map<string, NDArray>
}

const folder = await mkdtemp(join(tmpdir(), 'tenfold-reads-'))
const extra: NDArray = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }

/** The problems of a case of `test/cases` that was changed; of a case with entries only the first one is kept. */
async function problems(path: string, change: (changed: Case) => void): Promise<(string | undefined)[]> {
  const source = new URL(`../cases/${path}`, import.meta.url)
  const all = JSON.parse(readFileSync(`${source.pathname}.json`, 'utf8')) as Description
  const [first] = all.cases ?? []
  const description = first ? { ...all, cases: [first] } : all
  const { tensors } = readSafetensors(readFileSync(`${source.pathname}.safetensors`))
  const kept = new Map([...tensors].filter(([name]) => !first || name.startsWith(`${first.name}/`)))
  change({ description, tensors: kept })
  await writeFile(join(folder, 'case.json'), JSON.stringify(description))
  await writeFile(join(folder, 'case.safetensors'), writeSafetensors(kept))
  const found: (string | undefined)[] = []
  for await (const { problem } of verify([join(folder, 'case.json')], rules)) found.push(problem)
  return found
}

const wholeCases = [
  'mixer/mixer_vitjax_logits_rect',
  'mixer/mixer_timm_no_head',
  'mixer/mixer_bv_pretrain_steps',
  'fnet/hf_model',
  'fnet/official_hybrid_top',
  'fnet/adam_weight_decay',
  'fnet/mlm_masking',
]

describe.each(wholeCases)('%s', (path) => {
  test.each<[string, (changed: Case) => void, string]>([
    ['an input', ({ tensors }) => tensors.set('input/extra', extra), 'nothing reads input "extra"'],
    [
      'a setting',
      ({ description }) => Object.assign(description.config, { extra: 1 }),
      'nothing reads setting "extra"',
    ],
    ['a tensor', ({ tensors }) => tensors.set('other/extra', extra), 'nothing reads tensor "other/extra"'],
    ['a field', ({ description }) => Object.assign(description, { extra: [1] }), 'nothing reads field "extra"'],
    ['a result', ({ tensors }) => tensors.set('output/extra', extra), 'output/extra was not computed'],
    [
      'an input that it names and lacks',
      ({ description }) => description.inputs.push('extra'),
      'the case\'s safetensors file has no tensor "input/extra"',
    ],
  ])('%s more', async (_what, change, problem) => {
    expect(await problems(path, change)).toEqual([problem])
  })
})

test.each(['mixer/mixer_vitjax_logits_rect', 'fnet/hf_model', 'fnet/official_hybrid_top'])(
  '%s: a weight more',
  async (path) => {
    const [problem] = await problems(path, ({ tensors }) => tensors.set('param/extra', extra))
    expect(problem).toMatch(/"extra"|unexpected extra/)
  },
)

describe.each(['ops/activations', 'ops/norms', 'optim/optimizers', 'optim/clipping'])('an entry of %s', (path) => {
  const nameOf = ({ description }: Case): string => description.cases?.[0]?.name ?? ''
  test.each<[string, (changed: Case) => void, RegExp]>([
    [
      'an input',
      (changed) => {
        changed.tensors.set(`${nameOf(changed)}/input/extra`, extra)
        changed.description.cases?.[0]?.inputs.push(`${nameOf(changed)}/input/extra`)
      },
      /^nothing reads input "extra"$/,
    ],
    [
      'an argument',
      ({ description }) => Object.assign(description.cases?.[0]?.args ?? {}, { extra: 1 }),
      /^nothing reads setting "extra"$/,
    ],
    [
      'a tensor that it does not list',
      (changed) => changed.tensors.set(`${nameOf(changed)}/param/extra`, extra),
      /^nothing reads tensor ".*\/param\/extra"$/,
    ],
    [
      'a field',
      ({ description }) => Object.assign(description.cases?.[0] ?? {}, { extra: 1 }),
      /^nothing reads field "extra"$/,
    ],
  ])('%s more', async (_what, change, problem) => {
    expect(await problems(path, change)).toEqual([expect.stringMatching(problem)])
  })
  test('what belongs to no entry is the failure of the case', async () => {
    const change = ({ tensors, description }: Case): void => {
      tensors.set('none/input/extra', extra)
      description.config.extra = 1
    }
    const message = 'nothing reads tensor "none/input/extra", setting "extra"'
    expect(await problems(path, change)).toEqual([message, undefined])
  })
})

test("in evaluation Mixer's mask of stochastic depth is read, and drops nothing", async () => {
  const change = ({ tensors }: Case): void => void tensors.set('input/drop_mask', extra)
  expect(await problems('mixer/mixer_vitjax_logits_rect', change)).toEqual([undefined])
})

describe("in evaluation Expire-Span's random numbers are read, and change nothing", () => {
  test.each([
    ['drop_eval', 'block_span_noise', [1]],
    ['seq_attention', 'block_span_noise', [1]],
    ['span_grad_task_loss', 'block_span_noise', [1]],
    ['model_postnorm_eval', 'random_draws', [5, 3]],
  ])('%s: %s', async (name, input, shape) => {
    const changed = problems(`expire-span/${name}`, ({ description, tensors }) => {
      Object.assign(description, { mode: 'eval' })
      Object.assign(description.config, { expire_span_noisy: true })
      const data = new Float32Array(shape.reduce((size, length) => size * length)).fill(0.3)
      tensors.set(`input/${input}`, { dtype: 'float32', shape, data })
    })
    expect(await changed).toEqual([undefined])
  })
})

test('an argument of another value than those that are offered', async () => {
  const change = ({ description }: Case): void =>
    void Object.assign(description.cases?.[0]?.args ?? {}, { approximate: 'erf' })
  expect(await problems('ops/activations', change)).toEqual([
    'setting "approximate" must be one of none, tanh, found "erf"',
  ])
})

describe("FNet's position_ids", () => {
  const path = 'fnet/hf_model'
  const ids = (values: readonly number[], rows: number): NDArray => ({
    dtype: 'int64',
    shape: [rows, values.length],
    data: BigInt64Array.from(Array.from({ length: rows }, () => values).flat(), BigInt),
  })
  const shapeOf = (tensors: Case['tensors']): [number, number] => {
    const [batch = 0, length = 0] = tensors.get('input/input_ids')?.shape ?? []
    return [batch, length]
  }
  /** The first rows of a table in the opposite order. */
  const reversed = ({ dtype, shape, data }: NDArray, rows: number): NDArray => {
    const width = shape[1] ?? 0
    const copy = (data as Float32Array).slice()
    for (let row = 0; row < rows; row++) {
      copy.set((data as Float32Array).subarray(row * width, (row + 1) * width), (rows - 1 - row) * width)
    }
    return { dtype, shape, data: copy }
  }

  test('counting, once and for each text', async () => {
    for (const rows of [1, undefined]) {
      const change = ({ tensors }: Case): void => {
        const [batch, length] = shapeOf(tensors)
        tensors.set(
          'input/position_ids',
          ids(
            Array.from({ length }, (_, i) => i),
            rows ?? batch,
          ),
        )
      }
      expect(await problems(path, change)).toEqual([undefined])
    }
  })
  test('backwards: as the table of positions backwards', async () => {
    const change = ({ tensors }: Case): void => {
      const [batch, length] = shapeOf(tensors)
      tensors.set(
        'input/position_ids',
        ids(
          Array.from({ length }, (_, i) => length - 1 - i),
          batch,
        ),
      )
      for (const name of ['param', 'grad'].map((kind) => `${kind}/embeddings.position_embeddings.weight`)) {
        const table = tensors.get(name)
        if (table) tensors.set(name, reversed(table, length))
      }
    }
    expect(await problems(path, change)).toEqual([undefined])
  })
  test('other ones give other results', async () => {
    const change = ({ tensors }: Case): void => {
      const [batch, length] = shapeOf(tensors)
      tensors.set(
        'input/position_ids',
        ids(
          Array.from({ length }, () => 0),
          batch,
        ),
      )
    }
    expect(await problems(path, change)).toEqual([expect.stringMatching(/^(output|grad)\/\S+ is .*, expected /)])
  })
})

test("a batch size that is not its input's is refused", async () => {
  const changed = problems('diffusion/train_loop', ({ description }) =>
    Object.assign(description.config, { batch_size: 4 }),
  )
  expect(await changed).toEqual(['setting "batch_size" must be 3, found 4'])
})

describe('noisy spans in training need their noise', () => {
  test.each(['seq_attention', 'span_grad_task_loss', 'drop_noisy_train'])('%s', async (name) => {
    const changed = problems(`expire-span/${name}`, ({ description, tensors }) => {
      Object.assign(description.config, { expire_span_noisy: true })
      tensors.delete('input/block_span_noise')
      description.inputs.splice(0)
    })
    expect(await changed).toEqual(['noisy spans in training need the input "block_span_noise"'])
  })
})

test('tied weights that differ are refused', async () => {
  const name = 'param/cls.predictions.decoder.bias'
  const change = ({ tensors }: Case): void => {
    const { dtype, shape, data } = tensors.get(name) ?? extra
    tensors.set(name, { dtype, shape, data: (data as Float32Array).map((value) => value + 1) })
  }
  expect(await problems('fnet/hf_pretraining', change)).toEqual([
    'FNet checkpoint: "cls.predictions.decoder.bias" must be the same numbers as "cls.predictions.bias": they are tied',
  ])
})

test('dropout in training has no place in a case', async () => {
  const change = ({ description }: Case): void => {
    Object.assign(description, { mode: 'train' })
    description.config.drop_rate = 0.1
  }
  expect(await problems('mixer/mixer_timm_no_head', change)).toEqual([
    'setting "drop_rate" must be 0 in training, which draws at random, found 0.1',
  ])
})

test('settings remember what was read, nested ones too; null is nothing', () => {
  const reads = new SettingsReads()
  const settings = reads.track({ a: 1, b: { c: 2, d: { e: 3 } }, list: [{ f: 1, g: 2 }], gone: null, whole: { h: 1 } })
  void settings.a
  const b = settings.b as Record<string, unknown>
  void (b.d as Record<string, unknown>).e
  void (settings.list as Record<string, unknown>[])[0]?.f
  expect(reads.unread()).toEqual(['setting "b.c"', 'setting "list.0.g"', 'setting "whole"'])
})

test('tensors remember what was read', () => {
  const tensors = new CaseTensors(['a', 'input/b', 'case/input/c', 'd'].map((name) => [name, extra]))
  expect([...tensors.keys()]).toHaveLength(4)
  tensors.get('a')
  expect(tensors.peek('d')).toBe(extra)
  expect(tensors.unread()).toEqual(['input "b"', 'input "c"', 'tensor "d"'])
  void tensors.reading({ x: 1 }, () => 'd').x
  expect(tensors.unread((name) => name === 'input/b')).toEqual(['input "c"'])
  expect([...tensors.values()]).toHaveLength(4)
  expect(tensors.unread()).toEqual([])
})

test('long lists of unread things are shortened', () => {
  expect(() => refuseUnread([])).not.toThrow()
  const names = Array.from({ length: 7 }, (_, i) => `input "${i}"`)
  expect(() => refuseUnread(names)).toThrow(
    'nothing reads input "0", input "1", input "2", input "3", input "4" and 2 more',
  )
})
