/** Reference cases of the data: bit strings, pictures cut into tokens, list operations. */
import { z } from 'zod'
import { patchify } from '../../../models/patches.ts'
import * as ops from '../../../ops/index.ts'
import {
  generateListOps,
  type ListOpsTree,
  listOpsLength,
  listOpsOperators,
  listOpsText,
  listOpsValue,
} from '../../../tasks/sequences/listops.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
} from '../../../verify/target.ts'
import { bitMemory, bitXor } from '../bits/examples.ts'
import { normalizeFor, wordIds, wordsWithoutBrackets } from '../tasks.ts'

type Found = Promise<Map<string, NDArray>>

const integers = (values: readonly number[], shape: readonly number[] = [values.length]): NDArray => ({
  dtype: 'int64',
  shape,
  data: fromNumbers('int64', values),
})

async function runBits({ config, tensors }: ReferenceCase): Found {
  const draw = (name: string): NDArray => requiredTensor(tensors, `input/draw_${name}`)
  const bits = draw('bits')
  for (const [i, name] of ['batch_size', 'num_patterns', 'n'].entries()) fixedSetting(config, name, bits.shape[i])
  const isMemory = choiceSetting(config, 'task', ['bit-memory', 'bit-xor']) === 'bit-memory'
  const { x, y } = isMemory ? bitMemory(bits, draw('mask'), draw('query_index')) : bitXor(bits)
  return new Map([
    ['output/x', x],
    ['output/y', y],
  ])
}

async function runPictures({ config, tensors }: ReferenceCase): Found {
  const image = requiredTensor(tensors, 'input/image')
  const [height = 0, width = 0, channels = 1] = image.shape
  fixedSetting(config, 'height', height)
  fixedSetting(config, 'width', width)
  const task = choiceSetting(config, 'task', ['mnist', 'cifar10', 'cifar10-gray'])
  const picture = ops.permute(ops.reshape(tensor(image), [1, height, width, channels]), [0, 3, 1, 2])
  const x = patchify(normalizeFor(task, picture), numberSetting(config, 'patch_size'))
  return new Map([['output/x', { dtype: 'float32', shape: x.shape, data: await x.data() }]])
}

/** Draws of each kind, in the order of the record. */
function recordedDraws({ tensors }: ReferenceCase) {
  const [kinds, values] = ['draw_kind', 'draw_value'].map((name) =>
    toNumbers(requiredTensor(tensors, `input/${name}`).data),
  ) as [number[], number[]]
  let place = 0
  const next = (kind: number): number => {
    if (kinds[place] !== kind) throw new FormatError(`draw ${place} must be of kind ${kind}, found ${kinds[place]}`)
    return values[place++] ?? 0
  }
  return {
    areLeft: () => place < kinds.length,
    kind: () => next(0),
    argumentCount: () => next(1),
    digit: () => next(2),
    operator: () => listOpsOperators[next(2)] ?? '',
  }
}

async function runListOps(reference: ReferenceCase): Found {
  const { config, fields } = reference
  const options = {
    maxDepth: numberSetting(config, 'max_depth', 10),
    maxArgs: numberSetting(config, 'max_args', 10),
    nodeShare: numberSetting(config, 'value_p', 0.25),
  }
  const [shortest, longest] = [numberSetting(config, 'min_length', 500), numberSetting(config, 'max_length', 2000)]
  const wanted = numberSetting(config, 'n_examples')
  const draws = recordedDraws(reference)
  const kept = new Map<string, ListOpsTree>()
  let tried = 0
  while (kept.size < wanted) {
    const tree = generateListOps(options, draws)
    tried++
    const length = listOpsLength(tree)
    if (length > shortest && length < longest) kept.set(listOpsText(tree), tree)
  }
  if (draws.areLeft()) throw new FormatError(`draws are left after ${wanted} expressions`)
  checkTexts(fields.expected_strings, [...kept.keys()])
  const trees = [...kept.values()]
  const vocabulary = z.array(z.string()).parse(config.vocab)
  const width = numberSetting(config, 'pipeline_max_length', 512)
  const ids = [...kept.keys()].flatMap((text) => wordIds(wordsWithoutBrackets(text), vocabulary, width))
  return new Map([
    ['output/lengths', integers(trees.map(listOpsLength))],
    ['output/targets', integers(trees.map(listOpsValue))],
    ['output/token_ids', integers(ids, [trees.length, width])],
    ['output/trees_tried', integers([tried])],
  ])
}

function checkTexts(expected: unknown, found: readonly string[]): void {
  const { source = found } = z.object({ source: z.array(z.string()).optional() }).parse(expected ?? {})
  const wrong = found.findIndex((text, i) => text !== source[i])
  if (wrong >= 0)
    throw new FormatError(
      `expression ${wrong} is ${JSON.stringify(found[wrong])}, expected ${JSON.stringify(source[wrong])}`,
    )
}

export const dataTargets: readonly CaseTargetRule[] = [
  { target: /^universal_computation\.datasets \(bit-(memory|xor)\)$/, run: runBits },
  { target: /^universal_computation\.datasets \(.*\), evaluation transform$/, run: runPictures },
  { target: /^Long Range Arena ListOps generator \+ FPT/, run: runListOps },
]
