/** Classes of arrays in files of one's own: .npz of `inputs`, optional `positions` and `mask`, and `labels`. */
import { z } from 'zod'
import { type ArrayFile, readArrayFile } from '../../data/arrays/labelled-arrays.ts'
import { listSome } from '../../data/counting.ts'
import { arrayDataset, type Dataset, mapDataset, subset } from '../../data/dataset.ts'
import { digestOfExample } from '../../data/files.ts'
import {
  checkClassSets,
  checkLabels,
  describeSides,
  openingOf,
  settleUnreadable,
  sharedContent,
} from '../../data/opening.ts'
import { divide, type NamedExample } from '../../data/record.ts'
import { gatherRows } from '../../data/rows.ts'
import { pick } from '../../data/split.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting } from '../../train/settings.ts'
import { FormatError, UsageError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { counted } from '../../util/words.ts'
import type { KnownData } from '../define.ts'
import type { OpenedArrays } from './experiment.ts'
import type { ArrayFacts } from './facts.ts'
import type { FileExample } from './predict.ts'

/** Settings that name the files. */
export const arrayDataSettings = z.strictObject({
  file: pathSetting(
    'a .npz file: inputs [N, M, C], optional positions [N or 1, M, d] and mask [N, M], labels [N] or [N, K]',
  ),
  test: pathSetting('the same to test with; empty: a share of the examples is held out'),
  test_share: z.number().gt(0).lt(1).default(0.2).describe('share of the examples held out for testing'),
  split_seed: count.default(0).describe('decides which ones'),
  on_error: onErrorSetting,
})

export type ArrayDataSettings = z.infer<typeof arrayDataSettings>

/** A file whose examples can all be used, with their names in records. */
interface UsableFile {
  readonly arrays: ArrayFile
  readonly labels: NDArray
  readonly rows: readonly number[]
  readonly examples: readonly NamedExample[]
  readonly leftOut: readonly string[]
}

async function readUsable(file: string, onError: 'stop' | 'skip'): Promise<UsableFile> {
  const arrays = await readArrayFile(file)
  const { inputs, positions, mask, labels, unusable, unread } = arrays
  if (!labels) throw new FormatError(`${file}: must have an array "labels" to train on, found none`)
  const named = [...unusable].map(([row, reason]) => ({ path: `example ${row}`, reason }))
  const leftOut = [
    ...settleUnreadable(file, named, onError),
    ...(unread.length > 0 ? [`${listSome(unread, 3)} not read`] : []),
  ]
  const rows = Array.from({ length: sizeOf(inputs.shape, 0) }, (_, row) => row).filter((row) => !unusable.has(row))
  const examples = rows.map((row) => ({
    name: digestOfExample([inputs, positions, mask], row),
    digest: digestOfExample([inputs, positions, mask, labels], row),
  }))
  return { arrays, labels, rows, examples, leftOut }
}

/** What must be equal in all files of a run: shapes without their examples. */
function inputsOf({ inputs, positions, mask }: ArrayFile): ArrayFacts['inputs'] {
  const field = ({ dtype, shape }: NDArray) => ({ dtype, shape: shape.slice(1) })
  return {
    inputs: field(inputs),
    ...(positions && { positions: field(positions) }),
    ...(mask && { mask: field(mask) }),
  }
}

function describeInputs(inputs: ArrayFacts['inputs']): string {
  return Object.entries(inputs)
    .map(([name, { dtype, shape }]) => `${name} ${dtype} [N, ${shape.join(', ')}]`)
    .join(', ')
}

/** Refuses arrays of another form than those that a model is for. */
function checkForm(file: string, found: ArrayFacts['inputs'], wanted: ArrayFacts['inputs']): void {
  const [own, other] = [describeInputs(wanted), describeInputs(found)]
  if (own !== other) throw new FormatError(`${file}: must have ${own}, found ${other}`)
}

/** Examples of a file as a data set; positions that are the same for all are repeated in each batch. */
function datasetOf({ inputs, positions, mask }: ArrayFile, labels: NDArray, rows: readonly number[]): Dataset<'label'> {
  const isShared = positions !== undefined && sizeOf(positions.shape, 0) === 1
  const arrays: Record<string, NDArray> = {
    inputs,
    ...(positions && !isShared && { positions }),
    ...(mask && { mask }),
    label: labels,
  }
  const chosen = subset(arrayDataset(arrays), rows)
  if (!isShared) return chosen
  const fields = { ...chosen.fields, positions: { dtype: positions.dtype, shape: positions.shape.slice(1) } }
  return mapDataset(
    chosen,
    (batch, indices) => ({ ...batch, positions: gatherRows(positions, new Array<number>(indices.length).fill(0)) }),
    fields,
  )
}

/** Class numbers of an example: one, or those that it has. */
function classesOf(labels: NDArray, rows: readonly number[]): number[][] {
  const values = toNumbers(labels.data)
  if (labels.shape.length === 1) return rows.map((row) => [values[row] ?? 0])
  const classes = sizeOf(labels.shape, 1)
  return rows.map((row) => {
    const own = values.slice(row * classes, (row + 1) * classes)
    return own.flatMap((value, c) => (value > 0 ? [c] : []))
  })
}

/** Opens the files that the settings name. Throws a UsageError or FormatError, in one line, if they cannot be trained on. */
export async function openArrayFiles(
  { file, test, test_share: share, split_seed: seed, on_error }: ArrayDataSettings,
  known?: KnownData<ArrayFacts>,
): Promise<OpenedArrays> {
  if (file === '') {
    throw new UsageError('data.file must name a file of arrays, found ""', {
      hint: '--set data.file=FILE.npz, with inputs [N, M, C] and labels [N] or [N, K]',
    })
  }
  const onError = known ? 'skip' : on_error
  const main = await readUsable(file, onError)
  const own = test === '' ? undefined : await readUsable(test, onError)
  const inputs = known?.facts.inputs ?? inputsOf(main.arrays)
  checkForm(file, inputsOf(main.arrays), inputs)
  if (own) checkForm(test, inputsOf(own.arrays), inputs)
  const isMulti = main.labels.shape.length === 2
  const classCount = isMulti ? sizeOf(main.labels.shape, 1) : 1 + largest(classesOf(main.labels, main.rows).flat())
  const labels = known?.facts.labels ?? Array.from({ length: Math.max(0, classCount) }, (_, c) => String(c))
  for (const [path, used] of [
    [file, main],
    [test, own],
  ] as const) {
    if (used) checkClasses(path, used, labels.length, isMulti)
  }
  const divided = divide(main.examples, own?.examples, { unit: 'example', share, seed, known: known?.record })
  const [trainRows, testRows] = [pick(main.rows, divided.sides.train), pick((own ?? main).rows, divided.sides.test)]
  const [trainClasses, testClasses] = [classesOf(main.labels, trainRows), classesOf((own ?? main).labels, testRows)]
  const held = own
    ? `there are none in ${test}`
    : `data.test_share of ${counted(main.rows.length, 'example')} is ${share}`
  if (isMulti && (trainRows.length === 0 || testRows.length === 0)) {
    throw new UsageError(
      `${file}: no example is left to ${trainRows.length === 0 ? 'train on' : 'test with'}: ${divided.changes ?? held}`,
    )
  }
  const warnings = isMulti
    ? checkClassSets({ source: file, unit: 'example', labels, train: trainClasses, test: testClasses })
    : checkLabels({
        source: file,
        unit: 'example',
        labels,
        train: trainClasses.flat(),
        test: testClasses.flat(),
        held,
        known: known && { changes: divided.changes },
      })
  const summary = [
    `${counted(trainRows.length + testRows.length, 'example')} ${describeInputs(inputs)}; ${counted(labels.length, 'class')}`,
    ...main.leftOut,
    ...(own?.leftOut ?? []).map((part) => `of the test file ${part}`),
    describeSides('example', trainRows.length, testRows.length),
  ]
  const train = datasetOf(main.arrays, main.labels, trainRows)
  return {
    train,
    plain: train,
    test: datasetOf((own ?? main).arrays, (own ?? main).labels, testRows),
    facts: { labels, classes_per_example: isMulti ? 'any' : 'one', inputs, windows: 1 },
    opening: openingOf(summary, [...(known ? [] : warnings), ...sharedContent(divided)], divided),
  }
}

/** Refuses labels of another kind, or of classes that the model does not have. */
function checkClasses(file: string, { labels, rows }: UsableFile, classes: number, isMulti: boolean): void {
  const found =
    isMulti && labels.shape.length === 2 ? sizeOf(labels.shape, 1) : 1 + largest(classesOf(labels, rows).flat())
  const fits = (labels.shape.length === 2) === isMulti && (isMulti ? found === classes : found <= classes)
  if (fits) return
  const wanted = isMulti ? `[N, ${classes}]` : `class numbers 0 to ${classes - 1}`
  const shown = labels.shape.length === 2 || isMulti ? `[${labels.shape.join(', ')}]` : `class ${found - 1}`
  throw new FormatError(`${file}: "labels" must be ${wanted}, as the data trained on, found ${shown}`)
}

/** The examples of a file for a trained model, one by one: `file[0]`, `file[1]` ... */
export async function readArrayExamples(file: string, { inputs }: ArrayFacts): Promise<FileExample[]> {
  const arrays = await readArrayFile(file)
  checkForm(file, inputsOf(arrays), inputs)
  const length = sizeOf(arrays.inputs.shape, 0)
  const bad = [...arrays.unusable].find(([, reason]) => !reason.startsWith('the label'))
  if (bad) throw new FormatError(`${file}: example ${bad[0]}: ${bad[1]}`)
  const rowOf = (array: NDArray, row: number): NDArray => gatherRows(array, [sizeOf(array.shape, 0) === 1 ? 0 : row])
  return Array.from({ length }, (_, row) => ({
    input: `${file}[${row}]`,
    arrays: {
      inputs: rowOf(arrays.inputs, row),
      ...(arrays.positions && { positions: rowOf(arrays.positions, row) }),
      ...(arrays.mask && { mask: rowOf(arrays.mask, row) }),
    },
  }))
}
