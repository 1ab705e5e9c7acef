import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../../src/io/safetensors.ts'
import { involution } from '../../../src/systems/involution/index.ts'
import { fromNumbers, type NDArray } from '../../../src/tensor/dtype.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'
import { withFolder } from '../../data/support.ts'

const path = new URL('../../cases/involution/counters_224', import.meta.url).pathname

const integers = (shape: readonly number[], ...values: number[]): NDArray => ({
  dtype: 'int64',
  shape,
  data: fromNumbers('int64', values),
})

test('a stem with other channels than the blocks is counted', () =>
  withFolder(async (folder) => {
    const description = JSON.parse(readFileSync(`${path}.json`, 'utf8'))
    Object.assign(description.config, { stem_channels: 32, columns: ['params'] })
    const { tensors } = readSafetensors(readFileSync(`${path}.safetensors`))
    const changed = new Map([
      ...tensors,
      ['input/rednet_rows', integers([1, 2], 26, 3)],
      ['input/resnet_rows', integers([1], 50)],
      // Of the published sizes with 64 channels: the stems have 19986 - 5285 and 9536 - 4768 parameters less, the first block's two
      // convolutions that read the stem 32 * (64 + 256).
      ['output/rednet_counts', integers([1, 1], 9_233_166 - 14_701 - 10_240)],
      ['output/resnet_counts', integers([1, 1], 25_557_032 - 4_768 - 10_240)],
    ])
    await writeFile(join(folder, 'case.json'), JSON.stringify(description))
    await writeFile(join(folder, 'case.safetensors'), writeSafetensors(changed))
    const results: CaseResult[] = []
    for await (const result of verify([join(folder, 'case.json')], involution.targets ?? [])) results.push(result)
    expect(results.map(({ problem }) => problem)).toEqual([undefined])
    expect(results).toMatchObject([{ passed: true, tensors: 3 }])
  }))
