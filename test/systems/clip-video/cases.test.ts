import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { clipVideo } from '../../../src/systems/clip-video/index.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const folder = new URL('../../cases/clip-video/', import.meta.url).pathname
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

describe('agrees with the official codes of CLIP, BigGAN and the music video', () => {
  test.each(cases)('%s', async (name) => {
    const results: CaseResult[] = []
    for await (const result of verify([`${folder}${name}.json`], clipVideo.targets ?? [])) results.push(result)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ case: name, passed: true })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})
