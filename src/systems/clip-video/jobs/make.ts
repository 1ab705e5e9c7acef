/** The music video: lyrics and sound in, an MP4 out; every line's key picture is kept, so that a stopped job continues line by line. */
import { dirname, extname, join, resolve } from 'node:path'
import { z } from 'zod'
import { findFfmpeg, soundLength } from '../../../data/sources/ffmpeg.ts'
import { readText } from '../../../data/sources/text.ts'
import { writeFilm } from '../../../io/animation/film.ts'
import { makeFolder, requireNotInput, requireWritable } from '../../../io/atomic.ts'
import { encodePng } from '../../../io/png.ts'
import { encodeWav } from '../../../io/wav.ts'
import type { Report } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { count, pathSetting, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { deriveSeed } from '../../../util/random.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { allOf } from '../../parts.ts'
import { captionFont, drawCaption } from '../video/canvas.ts'
import { eigenName } from '../video/eigen-generator.ts'
import { drawScene, filmFrames, sceneOf } from '../video/film.ts'
import { checkPictures, directionOf, isPicture, type KeyLine, keyLines, type MadeLine } from '../video/keys.ts'
import { type LineOptimiser, lineOptimiser, type OptimisedLine } from '../video/line.ts'
import { type LyricsLine, readLyrics } from '../video/lyrics.ts'
import { newestRun, openGenerator, openSeer, type ReadingSeer, type VideoGenerator } from '../video/models.ts'
import { songLyrics, songSeconds, synthesiseSong } from '../video/song.ts'
import { framePlaces, segmentsOf } from '../video/timeline.ts'
import { storyboard } from './storyboard.ts'

const config = z.strictObject({
  lyrics: pathSetting('lyrics with times (MM:SS text, LRC or SRT); empty: a song of ours, with its sound'),
  audio: pathSetting('the song, in any format that ffmpeg reads; empty: a silent video, or the sound of our song'),
  out: pathSetting('the video; empty: video.mp4 in the folder of the job'),
  clip: pathSetting('a run of clip-video/clip, or a released CLIP (.pt); empty: the newest run in the folder runs'),
  generator: pathSetting(
    'a run of clip-video/biggan, a released BigGAN (.bin), any ONNX model from latents to a picture, or eigendrawings (drawings by their principal components, which need no training); empty: the newest run in the folder runs, eigendrawings where there is none',
    [eigenName],
  ),
  steps: whole.default(60).describe('steps of Adam for each line (published: 100 to 400)'),
  cutouts: whole.default(16).describe('cutouts that CLIP sees in each step (published: 128)'),
  lr: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'learning rate of Adam; 0: 0.1 as published, 0.003 where lines begin with a class, whose shape a larger one loses',
    ),
  latent_loss: z.boolean().default(true).describe('keep the noise like a sample of a normal distribution'),
  class_loss: z.boolean().default(true).describe('keep few classes active'),
  begin: z
    .enum(['class', 'noise'])
    .default('class')
    .describe(
      'where the generator knows the names of its classes a line begins with the one that its words name, else with one whose name and picture fit them best (class), or with random ones, as published (noise)',
    ),
  truncation: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('which statistics the norms of BigGAN take; other generators have none'),
  interpolation: z.number().positive().default(10).describe('pictures a second from line to line'),
  fps: whole.default(24).describe('frames a second'),
  size: whole.default(512).describe('height and width of the picture in the video, in pixels'),
  canvas: whole.default(720).describe('height and width of the video, in pixels; even'),
  captions: z.boolean().default(true).describe('burn the lyrics into the video'),
  tail: z.number().positive().default(9).describe('seconds after the last line, where there is no sound'),
  preview: count.default(0).describe('make the key picture of this line only, as a PNG; 0: the whole video'),
  reroll: z
    .array(whole)
    .default([])
    .describe('numbers of lines that begin with other random numbers; twice the same: with others again'),
})
export type MakeSettings = z.infer<typeof config>

const optimisedLine = z.object({
  latents: z.array(z.number()),
  classes: z.array(z.number()),
  first: z.object({ latents: z.array(z.number()), classes: z.array(z.number()) }),
  curve: z.array(z.number()),
  before: z.number(),
  after: z.number(),
  seen: z.array(z.number()),
})

/** What is sung and heard. */
interface Song {
  readonly lines: readonly LyricsLine[]
  readonly audio: string | undefined
  /** Where pictures of the lyrics are looked for. */
  readonly folder: string
  /** Known where it is our own. */
  readonly seconds?: number
}

async function openSong({ lyrics, audio }: MakeSettings, { write }: JobContext): Promise<Song> {
  if (lyrics === '') {
    const text = songLyrics()
    const path = await write('song.lrc', text)
    const sound = audio === '' ? await write('song.wav', encodeWav(synthesiseSong())) : audio
    const own = audio === '' ? { seconds: songSeconds } : {}
    return { lines: readLyrics(text, path), audio: sound, folder: dirname(path), ...own }
  }
  const text = await readText(lyrics)
  return { lines: readLyrics(text, lyrics), audio: audio === '' ? undefined : audio, folder: dirname(resolve(lyrics)) }
}

/** The learning rate of the settings, or the one that belongs to how lines begin. */
function rateOf({ lr, begin }: MakeSettings, { labels }: VideoGenerator): number {
  if (lr > 0) return lr
  return begin === 'class' && labels ? 0.003 : 0.1
}

interface Workshop {
  readonly seer: ReadingSeer
  readonly generator: VideoGenerator
  readonly optimiser: LineOptimiser
}

async function openWorkshop(settings: MakeSettings, context: JobContext): Promise<Workshop> {
  const threads = threadOptions(context)
  const seer = await openSeer(settings.clip, context)
  const isNone = settings.generator === '' && (await newestRun('biggan')) === undefined
  const generator = await openGenerator(isNone ? eigenName : settings.generator, settings.truncation, {
    ...context,
    ...threads,
  })
  const optimiser = lineOptimiser(generator, seer, {
    steps: settings.steps,
    cutouts: settings.cutouts,
    lr: rateOf(settings, generator),
    latentLoss: settings.latent_loss,
    classLoss: settings.class_loss,
    begin: settings.begin,
    ...threads,
  })
  return { seer, generator, optimiser }
}

/** Makes one key picture, or takes it from an earlier run of the job. */
async function makeLine(
  line: KeyLine,
  { seer, generator, optimiser }: Workshop,
  folder: string,
  settings: MakeSettings,
  { keep, seed }: JobContext,
): Promise<{ made: OptimisedLine; wasThere: boolean }> {
  const { steps, cutouts, latent_loss, class_loss, begin, truncation, reroll } = settings
  const rolls = line.part === 'line' ? reroll.filter((number) => number === line.number).length : 0
  const direction = await directionOf(line, seer, folder)
  const words = line.phrases.filter((phrase) => !isPicture(phrase)).join(' ')
  const identity = {
    direction: Array.from(direction, (value) => Number(value.toPrecision(6))),
    models: [seer.identity, generator.identity],
    words,
    options: { steps, cutouts, lr: rateOf(settings, generator), latent_loss, class_loss, begin, truncation },
    seed,
    rolls,
  }
  const name = `lines/${line.part}-${String(line.number).padStart(3, '0')}`
  const lineSeed = deriveSeed(seed, 'line', line.part, line.number, rolls)
  const { part, wasThere } = await keep(name, identity, optimisedLine, () =>
    optimiser.optimise(direction, lineSeed, words),
  )
  return { made: part, wasThere }
}

/** `2 min 10 s` */
function shownTime(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** Makes all key pictures, one after the other, and says how long the rest will take. */
async function makeLines(
  keys: readonly KeyLine[],
  workshop: Workshop,
  folder: string,
  settings: MakeSettings,
  context: JobContext,
): Promise<MadeLine[]> {
  let [spent, computed, done] = [0, 0, 0]
  return allOf(context, keys, async (line): Promise<MadeLine> => {
    context.signal?.throwIfAborted()
    const start = performance.now()
    const { made, wasThere } = await makeLine(line, workshop, folder, settings, context)
    if (!wasThere) {
      spent += (performance.now() - start) / 1000
      computed++
    }
    const rest = keys.length - ++done
    const left = computed > 0 && rest > 0 ? `, about ${shownTime((rest * spent) / computed)} left for the lines` : ''
    const cosines = `cosine ${made.before.toFixed(3)} to ${made.after.toFixed(3)}`
    const words = line.part === 'line' ? line.phrases.join(' | ') : `(${line.part})`
    context.progress(`${done}/${keys.length}  ${words.padEnd(36)} ${cosines}${wasThere ? '  kept' : ''}${left}`, {
      line: line.number,
      part: line.part,
      kept: wasThere,
      before: made.before,
      after: made.after,
    })
    return { ...line, made }
  })
}

/** Warns of what of the lines CLIP does not read: words that it has never seen, and what is beyond its length. */
async function tellUnread(keys: readonly KeyLine[], seer: ReadingSeer, { progress }: JobContext): Promise<void> {
  for (const { part, number, phrases } of keys) {
    if (part !== 'line') continue
    const readings = await Promise.all(phrases.filter((phrase) => !isPicture(phrase)).map(seer.reading))
    const unknown = readings.flatMap((reading) => reading.unknown)
    if (unknown.length > 0)
      progress(`line ${number}: this CLIP has never read ${unknown.join(', ')}; left out`, { line: number, unknown })
    for (const { tokens, read } of readings) {
      if (read === tokens) continue
      progress(`line ${number}: this CLIP reads the first ${read} of ${tokens} tokens; the rest is left out`, {
        line: number,
        tokens,
        read,
      })
    }
  }
}

async function preview(
  settings: MakeSettings,
  keys: readonly KeyLine[],
  song: Song,
  context: JobContext,
): Promise<Report> {
  const line = keys.find(({ part, number }) => part === 'line' && number === settings.preview)
  if (!line) {
    const lines = keys.filter(({ part }) => part === 'line').length
    throw new UsageError(`setting "preview": there are ${lines} lines, found ${settings.preview}`)
  }
  await checkPictures([line], song.folder)
  const workshop = await openWorkshop(settings, context)
  await tellUnread([line], workshop.seer, context)
  const lines = await makeLines([line], workshop, song.folder, settings, context)
  const { side } = workshop.generator
  const pixels = await drawScene(workshop.generator, sceneOf(lines[0]?.made ?? { latents: [], classes: [] }))
  const file = await context.write(`preview-${settings.preview}.png`, encodePng(pixels, side, side, 3))
  context.progress(`key picture of line ${settings.preview}: ${file}`, { file })
  return storyboard(lines, workshop.generator, workshop.seer, { title: `Line ${settings.preview}`, facts: {} })
}

/** Containers of H.264 and AAC. */
const videoEndings = ['.mp4', '.m4v', '.mov', '.mkv']

async function run(settings: MakeSettings, context: JobContext): Promise<Report> {
  if (settings.canvas % 2 !== 0 || settings.canvas < settings.size) {
    throw new UsageError(
      `setting "canvas" must be even and at least the ${settings.size} of "size", found ${settings.canvas}`,
    )
  }
  await makeFolder(context.folder)
  const song = await openSong(settings, context)
  const absent = settings.reroll.find((number) => number > song.lines.length)
  if (absent !== undefined)
    throw new UsageError(`setting "reroll": there are ${song.lines.length} lines, found ${absent}`)
  const end = (song.lines.at(-1)?.time ?? 0) + settings.tail
  if (settings.preview > 0) return preview(settings, keyLines(song.lines, end), song, context)
  // All that can be wrong is found before the work.
  const ffmpeg = findFfmpeg()
  const out = settings.out === '' ? join(context.folder, 'video.mp4') : settings.out
  if (!videoEndings.includes(extname(out).toLowerCase()))
    throw new UsageError(`setting "out" must end in one of ${videoEndings.join(', ')}, found "${out}"`)
  const { lyrics, clip, generator: drawing } = settings
  await requireNotInput(out, [song.audio ?? '', lyrics, clip, drawing], 'give another file: --set out=FILE')
  await requireWritable(resolve(out))
  const font = settings.captions ? captionFont() : ''
  const seconds = song.audio === undefined ? end : (song.seconds ?? (await soundLength(ffmpeg, song.audio)))
  const heard = song.lines.filter(({ time }) => time < seconds)
  const keys = keyLines(heard, seconds)
  const unheard = song.lines.length - heard.length
  if (keys.length === 0) throw new UsageError(`the sound ends after ${seconds.toFixed(1)} s, before the first line`)
  await checkPictures(keys, song.folder)
  const captions = settings.captions
    ? await Promise.all(keys.map(({ caption }) => drawCaption(caption, settings.canvas, font)))
    : []
  if (unheard > 0)
    context.progress(
      `the sound ends after ${seconds.toFixed(1)} s: ${unheard === 1 ? 'the last line is' : `the last ${unheard} lines are`} left out`,
      {
        unheard,
      },
    )
  for (const { number, time } of keys.filter(({ part, time }, i) => part === 'line' && keys[i + 1]?.time === time))
    context.progress(`line ${number} is not seen: the next one begins at ${time.toFixed(2)} s too`, { line: number })
  const workshop = await openWorkshop(settings, context)
  const { seer, generator } = workshop
  context.progress(`${seer.name}, ${generator.name}: ${keys.length} key pictures`, { lines: keys.length })
  await tellUnread(keys, seer, context)
  const lines = await makeLines(keys, workshop, song.folder, settings, context)

  const segments = segmentsOf(
    lines.map(({ time }) => time),
    settings.interpolation,
  )
  const frames = Math.max(1, Math.round(seconds * settings.fps))
  const plan = {
    generator,
    scenes: lines.map(({ made }) => sceneOf(made)),
    segments,
    places: framePlaces(segments, frames, settings.fps),
    captions: segments.map(({ key }) => captions[key]),
    size: settings.size,
    canvas: settings.canvas,
  }
  const start = performance.now()
  let told = start
  const onFrame = (done: number): void => {
    if (performance.now() - told < 5000) return
    told = performance.now()
    const left = (((told - start) / 1000) * (frames - done)) / done
    context.progress(`frame ${done} of ${frames}, about ${shownTime(left)} left`, { frame: done, frames })
  }
  const { canvas, fps } = settings
  await writeFilm(resolve(out), filmFrames(plan, onFrame), {
    ...{ ffmpeg, width: canvas, height: canvas, fps, frames },
    audio: song.audio,
    signal: context.signal,
  })
  context.progress(`video      ${out}`, { file: out })
  return storyboard(lines, generator, seer, {
    title: 'clip-video / make',
    facts: {
      video: out,
      length: `${(frames / fps).toFixed(2)} s, ${frames} frames at ${fps} a second, ${canvas} x ${canvas} pixels`,
      sound: song.audio ?? 'none',
      'each line': `${settings.steps} steps of ${settings.cutouts} cutouts, learning rate ${rateOf(settings, generator)}`,
    },
  })
}

export const make = defineJob({
  name: 'make',
  summary: 'a music video from lyrics and a song: CLIP guides BigGAN; without settings, of a song of ours',
  config,
  packages: () => ['sharp'],
  requirePrograms: ({ preview }) => {
    if (preview === 0) findFfmpeg()
  },
  run,
})
