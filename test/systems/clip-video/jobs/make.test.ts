/** The music video with tiny models and a program in the place of ffmpeg: what is made, what is kept, what is refused. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findDataSet, isFetched } from '../../../../src/data/catalog/cache.ts'
import { BigGAN } from '../../../../src/systems/clip-video/biggan/generator.ts'
import { miniBigGAN } from '../../../../src/systems/clip-video/biggan/networks.ts'
import { make } from '../../../../src/systems/clip-video/jobs/make.ts'
import { CLIP } from '../../../../src/systems/clip-video/model.ts'
import type { JobContext } from '../../../../src/systems/define.ts'
import { keepIn } from '../../../../src/systems/jobs.ts'
import type { Experiment } from '../../../../src/tasks/experiment.ts'
import { manualSeed } from '../../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'
import { configFrom } from '../../../../src/train/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-make-'))
const path = process.env.PATH
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  process.env.PATH = path
})

const ffmpeg = join(folder, 'ffmpeg')
const lyrics = join(folder, 'song.lrc')
beforeAll(() => {
  // The last argument is the file; frames come in as they are.
  writeFileSync(ffmpeg, '#!/bin/sh\nfor last; do :; done\n/bin/cat > "$last"\n')
  chmodSync(ffmpeg, 0o755)
  writeFileSync(lyrics, '[00:01.00] red\n[00:02.00] green | a green thing\n')
})

/** Models of the right form that have learned nothing. */
function models(): Record<string, Experiment> {
  manualSeed(0)
  const model = new CLIP({
    ...{ embed_dim: 4, image_resolution: 8, vision_layers: 1, vision_width: 64, vision_patch_size: 4 },
    ...{ context_length: 4, vocab_size: 8, transformer_width: 64, transformer_heads: 1, transformer_layers: 1 },
  })
  const clip = {
    model,
    facts: { size: 8 },
    settings: { tower: 'vit' },
    see: (pictures: Tensor) => model.encodeImage(pictures),
    readTexts: async (texts: readonly string[]) => texts.map(({ length }) => Float64Array.of(1, 0, 0, length / 10)),
    tokenizer: async () => ({
      read: (text: string) => {
        const tokens = text.split(' ').length
        return { unknown: text === 'red' ? ['red'] : [], tokens, read: Math.min(tokens, 2) }
      },
    }),
  }
  const labels = ['a', 'b', 'c']
  const biggan = {
    model: new BigGAN(miniBigGAN({ z_dim: 4, channel_width: 3, D_ch: 4, n_stats: 2, eps: 1e-4 }, labels.length)),
    facts: { labels, size: 32 },
  }
  return { clip, biggan } as unknown as Record<string, Experiment>
}
const known = models()

async function run(settings: Record<string, unknown>, name: string) {
  const lines: string[] = []
  const own = join(folder, name)
  const sets = {
    lyrics,
    clip: 'c',
    generator: 'g',
    captions: false,
    steps: 2,
    cutouts: 2,
    size: 16,
    canvas: 20,
    fps: 4,
    ...settings,
  }
  const context: JobContext = {
    folder: own,
    seed: 0,
    threads: 1,
    progress: (line) => void lines.push(line),
    keep: keepIn(own),
    write: async (file, content) => {
      writeFileSync(join(own, file), content)
      return join(own, file)
    },
    openRun: async (_path, recipe) => known[recipe] as never,
  }
  const config = configFrom(
    make.config,
    Object.entries(sets).map(([setting, value]) => ({ path: setting, value })),
  )
  const report = await make.run(config, context)
  return { report, lines, folder: own }
}

describe('make', () => {
  test('frames of the exact length; lines are kept, and one can be rolled again', async () => {
    process.env.PATH = folder
    const first = await run({ tail: 2 }, 'film')
    // 4 s at 4 frames a second, 20 x 20 pixels of 3 bytes.
    expect(statSync(join(first.folder, 'video.mp4')).size).toBe(16 * 20 * 20 * 3)
    expect(first.lines).toContain('line 1: this CLIP has never read red; left out')
    expect(first.lines).toContain('line 2: this CLIP reads the first 2 of 3 tokens; the rest is left out')
    expect(first.lines.filter((line) => line.includes('the rest is left out'))).toHaveLength(1)
    expect(first.lines.filter((line) => /^\d\/4 /.test(line)).map((line) => line.split('  ')[1])).toEqual([
      '(start)',
      'red',
      'green | a green thing',
      '(end)',
    ])
    expect(first.report.sections.map(({ title }) => title)).toEqual([
      'Storyboard',
      '0.00 s: start: red',
      '1.00 s: red',
      '2.00 s: green | a green thing',
      '4.00 s: end: green | a green thing',
    ])
    const film = readFileSync(join(first.folder, 'video.mp4'))
    const second = await run({ tail: 2, reroll: [2] }, 'film')
    expect(second.lines.filter((line) => /^\d\/4 /.test(line)).map((line) => line.includes('kept'))).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect(readFileSync(join(first.folder, 'video.mp4')).equals(film)).toBe(false)
  })

  test.skipIf(!isFetched(findDataSet('caption-font')))('a line of which nothing is seen has no caption', async () => {
    process.env.PATH = folder
    const unseen = join(folder, 'unseen.lrc')
    writeFileSync(unseen, '[00:01.00] \u200b\n[00:02.00] \u2060 .\n')
    const { folder: own } = await run({ lyrics: unseen, captions: true, tail: 2, canvas: 16 }, 'unseen')
    expect(statSync(join(own, 'video.mp4')).size).toBe(16 * 16 * 16 * 3)
  })

  test('lines that an offset moves before the beginning', async () => {
    process.env.PATH = folder
    const moved = join(folder, 'moved.lrc')
    writeFileSync(moved, '[offset:5000]\n[00:01.00] red\n[00:02.00] green\n[00:06.00] blue\n')
    const { lines, report, folder: own } = await run({ lyrics: moved, tail: 1 }, 'moved')
    expect(lines).toContain('line 1 is not seen: the next one begins at 0.00 s too')
    expect(lines.filter((line) => line.includes('is not seen'))).toHaveLength(1)
    expect(report.sections.slice(1).map(({ title }) => title)).toEqual([
      '0.00 s: red',
      '0.00 s: green',
      '1.00 s: blue',
      '2.00 s: end: blue',
    ])
    expect(statSync(join(own, 'video.mp4')).size).toBe(8 * 20 * 20 * 3)
  })

  test('a preview is one picture, and needs no ffmpeg', async () => {
    process.env.PATH = ''
    const { lines, folder: own } = await run({ preview: 2, latent_loss: false }, 'preview')
    expect(readFileSync(join(own, 'preview-2.png')).subarray(1, 4).toString()).toBe('PNG')
    expect(lines.filter((line) => /^\d\/\d /.test(line)).length).toBe(1)
    await expect(run({ preview: 3 }, 'preview')).rejects.toThrow('setting "preview": there are 2 lines, found 3')
  })

  test('ffmpeg is looked for before anything is said, where it is needed', () => {
    process.env.PATH = ''
    const look = (preview: number) =>
      make.requirePrograms?.(configFrom(make.config, [{ path: 'preview', value: preview }]))
    expect(() => look(0)).toThrow('a video needs ffmpeg, which is not on the PATH')
    expect(() => look(1)).not.toThrow()
  })

  test('what is missing is one line, before the work', async () => {
    process.env.PATH = ''
    await expect(run({}, 'none')).rejects.toThrow('a video needs ffmpeg, which is not on the PATH')
    process.env.PATH = folder
    await expect(run({ out: join(folder, 'no', 'video.mp4') }, 'none')).rejects.toThrow('cannot be written (ENOENT)')
    await expect(run({ out: folder }, 'none')).rejects.toThrow('setting "out" must end in one of .mp4')
    const sung = join(folder, 'sung.mp4')
    writeFileSync(sung, 'a song')
    symlinkSync(sung, join(folder, 'link.mp4'))
    for (const out of [sung, join(folder, 'link.mp4'), `${folder}/../${basename(folder)}/sung.mp4`])
      await expect(run({ audio: sung, out }, 'none')).rejects.toThrow(`${out} is an input, and would be overwritten`)
    expect(readFileSync(sung, 'utf8')).toBe('a song')
    const pictures = join(folder, 'pictures.lrc')
    writeFileSync(pictures, '[00:01.00] red\n[00:02.00] green | picture: no.png\n')
    await expect(run({ lyrics: pictures, tail: 2 }, 'none')).rejects.toThrow(/^line 2: .*no\.png: no such file/)
    await expect(run({ audio: join(folder, 'no.mp3') }, 'none')).rejects.toThrow('no.mp3: no such file')
    await expect(run({ generator: 'eigendrawings', truncation: 0.5 }, 'none')).rejects.toThrow(
      'setting "truncation" must be 1 with eigendrawings, found 0.5',
    )
    await expect(run({ generator: 'my.onnx', truncation: 0.5 }, 'none')).rejects.toThrow(
      'setting "truncation" must be 1 with my.onnx, found 0.5',
    )
    await expect(run({ canvas: 17 }, 'none')).rejects.toThrow('setting "canvas" must be even')
    await expect(run({ lyrics: pictures, reroll: [1, 3] }, 'none')).rejects.toThrow(
      'setting "reroll": there are 2 lines, found 3',
    )
    writeFileSync(pictures, Buffer.from('[00:01.00] caf\xe9\n', 'latin1'))
    await expect(run({ lyrics: pictures }, 'none')).rejects.toThrow('pictures.lrc: must be UTF-8, found byte 0xe9')
    await expect(run({ lyrics: join(folder, 'no.lrc') }, 'none')).rejects.toThrow('no.lrc: no such file or folder')
  })
})
