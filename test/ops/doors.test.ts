/** What `ops` shows, and what stays in the kit. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as ops from '../../src/ops/index.ts'
import * as kit from '../../src/ops/kit.ts'
import { calls, tensorsOf } from '../support/calls.ts'

const folder = new URL('../../src/ops/', import.meta.url)
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !['define.ts', 'gradient-kit.ts', 'index.ts', 'kit.ts'].includes(file))
  .sort()
const families = new Map<string, Record<string, unknown>>()
for (const file of files) families.set(file, await import(new URL(file, folder).href))

/** Tools: exported functions that ops, gradients and lowerings are made of, and models are not. */
const tools: Readonly<Record<string, readonly string[]>> = {
  'attention/blocks.ts': ['attentionInBlocks', 'planBlocks'],
  'attention/grouped.ts': ['groupQueries'],
  'attention/kernel.ts': [
    'attentionBackward',
    'checkSizes',
    'isLong',
    'productMinusRows',
    'threeOf',
    'unmaskedAttention',
  ],
  'attention/masks.ts': ['additiveMask', 'causalMask', 'checkMask', 'hasKeys'],
  'control.ts': ['alias', 'lateInputs', 'requireFunction', 'requireResult', 'runAfter', 'runAfterAll', 'withBackward'],
  'conv/blocks.ts': ['blockedConvolution', 'blockedWeight', 'inBlocks', 'inUsualOrder', 'lowerInBlocks', 'onnxOptions'],
  'conv/conv.ts': ['convInputGradient'],
  'conv/enlarged.ts': ['convEnlarged'],
  'conv/moved-products.ts': ['movedProducts'],
  'conv/phases.ts': ['lowerInPhases'],
  'conv/shared-indices.ts': ['chosenRows', 'sharedIndices'],
  'conv/weight-blocks.ts': ['fitsInBlocks', 'sumsInBlocks'],
  'conv/weight-convolution.ts': ['isWeightConvolution'],
  'conv/weight-gradient.ts': ['convWeightGradient'],
  'conv/winograd.ts': ['lowerInTiles', 'lowerWeightInTiles', 'paysInTiles'],
  'conv/windows.ts': ['kernelPlaces', 'kernelWindows', 'perAxis', 'windowColumns'],
  'creation.ts': ['requireElements'],
  'detection/boxes.ts': ['requireBoxes', 'requireThreshold'],
  'detection/roi-align.ts': ['roiAlignInputGradient'],
  'elementwise/arithmetic.ts': ['raised', 'sqrtOrZero'],
  'elementwise/binary.ts': ['defineBinary', 'emitExtremum', 'inferBroadcast', 'withoutZero'],
  'elementwise/doubles.ts': ['defineInDoubles', 'lowerInDoubles'],
  'elementwise/unary.ts': ['defineUnary'],
  'fourier/chirp.ts': ['blocksOf', 'chirpTransform'],
  'fourier/complex.ts': ['partsOf', 'squaredMagnitude'],
  'fourier/convolution.ts': ['chirpRows', 'smoothLength'],
  'fourier/fft.ts': ['halfWeights'],
  'fourier/forms.ts': [
    'completeColumns',
    'directTransform',
    'factorsOf',
    'fourStepTransform',
    'fourStepWork',
    'halfOf',
    'table',
    'transformColumns',
    'wave',
  ],
  'fourier/rows.ts': ['formOf', 'transformRows'],
  'indexing/indexing.ts': ['axisSize', 'checkIndex', 'places', 'requireIndex', 'selectPlaces', 'underIndex'],
  'indexing/places.ts': ['certainlyWithin', 'checkPlaces', 'placesMessage', 'sameElements', 'within'],
  'indexing/scatter.ts': ['alongAxis', 'inferScatter', 'scatterInputs'],
  'indexing/segment-forms.ts': ['emitSegmentSum'],
  'indexing/sorted-sums.ts': ['emitSortedSums'],
  'elementwise/not-a-number.ts': ['emitIsNumber', 'emitLog'],
  'linalg/matrices.ts': [
    'batchOf',
    'emitMatrices',
    'emitPlaces',
    'emitResult',
    'requireSquare',
    'requireSystem',
    'withOneBatch',
  ],
  'loss/ctc-scan.ts': ['pathScores'],
  'loss/loss.ts': ['reduceLosses'],
  'involution/blocks.ts': ['inBlocks', 'prefersTiles'],
  'involution/geometry.ts': [
    'allGroups',
    'bordered',
    'groupChannels',
    'involutionOf',
    'joined',
    'places',
    'reachOf',
    'sliced',
    'transposed',
    'zeros',
  ],
  'involution/input-gradient.ts': ['involutionInputGradient'],
  'involution/involution.ts': ['involutionWeightGradient'],
  'involution/shifts.ts': ['byShifts', 'gradientByShifts'],
  'involution/tiles.ts': ['byTiles', 'gradientByTiles'],
  'movement/padding.ts': ['dilate', 'padAxis'],
  'movement/repeated.ts': ['emitRepeated', 'repeatElements', 'repetitionOf'],
  'movement/resize-axis.ts': ['adaptiveWindows', 'resizeAxis'],
  'norm/per-channel.ts': ['channelShape', 'perChannel'],
  'pool/max-windows.ts': ['emitMaxWindows', 'emitMaxima'],
  'pool/windows.ts': ['padded', 'poolShape', 'requireHalf'],
  'products/matmul.ts': ['addmmWith', 'matmulWith', 'withoutSwap'],
  'products/transposed.ts': [
    'emitFusedProduct',
    'emitProduct',
    'emitTranspose',
    'emitTransposedProduct',
    'hasFusedProduct',
    'transposedForm',
    'transposedFormHere',
  ],
  'random/gamma.ts': ['gammaSlope'],
  'random/random.ts': ['drawn', 'parameterOf'],
  'ranks.ts': ['gatherOverRanks'],
  'reduction/reduce.ts': ['restoreAxes', 'sumTo'],
  'signal/cosine.ts': ['dctMatrix'],
  'signal/frames.ts': ['frameCount', 'framesOf', 'overlapAdd'],
  'signal/mel.ts': ['melFilters'],
  'signal/windows.ts': ['besselI0'],
}

const shown = new Set<unknown>(Object.values(ops))

test.each(Object.entries(ops).filter(([name]) => name !== 'customGradient'))('%s computes tensors', (name, value) => {
  const call = value as (...args: readonly unknown[]) => unknown
  expect(tensorsOf(call(...(calls[name] ?? []))).length).toBeGreaterThan(0)
})

test('an exported function of a family is public or a tool', () => {
  const hidden = [...families].map(([file, family]) => {
    const names = Object.entries(family).filter(([, value]) => typeof value === 'function' && !shown.has(value))
    return [file, names.map(([name]) => name).sort()] as const
  })
  expect(Object.fromEntries(hidden.filter(([, names]) => names.length > 0))).toEqual(tools)
})

test('the kit holds all that ops shows and every definition', () => {
  const definitions = [...families.values()].flatMap((family) => Object.values(family).filter(kit.isOpDefinition))
  expect(Object.keys(kit)).toEqual(expect.arrayContaining(Object.keys(ops)))
  expect(new Set(Object.values(kit).filter(kit.isOpDefinition))).toEqual(new Set(definitions))
})
