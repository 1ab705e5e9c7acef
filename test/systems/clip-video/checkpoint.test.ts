import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import { BigGAN } from '../../../src/systems/clip-video/biggan/generator.ts'
import { loadBigGAN, loadCLIP, loadCLIPVocabulary } from '../../../src/systems/clip-video/checkpoint.ts'
import type { BigGANConfig } from '../../../src/systems/clip-video/config.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-clip-'))

const config: BigGANConfig = {
  output_dim: 4,
  z_dim: 2,
  class_embed_dim: 2,
  channel_width: 4,
  num_classes: 2,
  layers: [
    [false, 16, 8],
    [false, 8, 4],
    [false, 4, 2],
    [false, 2, 1],
  ],
  attention_layer_position: 0,
  eps: 1e-4,
  n_stats: 3,
}

test('a generator comes back from a file, by a configuration of its own', async () => {
  const model = new BigGAN(config)
  const path = join(folder, 'biggan.safetensors')
  writeFileSync(path, writeSafetensors(model.stateDict()))
  expect((await loadBigGAN(path, config)).stateDict()).toEqual(model.stateDict())
  await expect(loadBigGAN(path)).rejects.toThrow(`${path}: BigGAN checkpoint: no released model has 5 layers`)
  await expect(loadCLIP(path)).rejects.toThrow(`${path}: CLIP checkpoint: there is no tensor "ln_final.weight"`)
})

test('files that are not there, or are something else', async () => {
  await expect(loadCLIP(join(folder, 'none.pt'))).rejects.toThrow('none.pt: cannot be read')
  const path = join(folder, 'vocabulary.txt')
  writeFileSync(path, 'a b\n')
  await expect(loadCLIPVocabulary(path)).rejects.toThrow(
    `${path}: must have 48894 lines of two symbols, found "" as merge 2`,
  )
})
