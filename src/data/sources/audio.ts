/** Recordings: WAV, FLAC, MP3, and Vorbis, Opus or FLAC in Ogg. */
import type { CodecFrame, OggPage } from 'codec-parser'
import { latin1, startsWith } from '../../io/bytes.ts'
import { parseWav, type Recording } from '../../io/wav.ts'
import { FormatError, TenfoldError } from '../../util/errors.ts'
import { readBytes } from '../files.ts'
import { importPackage } from '../packages.ts'

const maxBytes = 2 ** 31 - 1

/** What the decoders answer. */
interface Decoded {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly sampleRate: number
  readonly errors: readonly { readonly message: string }[]
}

interface Format {
  /** For messages. */
  readonly name: string
  readonly isIn: (bytes: Uint8Array) => boolean
  readonly decode: (bytes: Uint8Array, name: string) => Promise<Recording>
}

function audioOf(
  name: string,
  format: string,
  { channelData, samplesDecoded, sampleRate, errors }: Decoded,
): Recording {
  const [error] = errors
  if (error) throw new FormatError(`${name}: the ${format} file is damaged: ${error.message}`)
  if (samplesDecoded === 0) throw new FormatError(`${name}: the ${format} file is damaged: there is no sound in it`)
  return { samples: channelData.map((channel) => channel.subarray(0, samplesDecoded)), sampleRate }
}

/** Runs a decoder that lives in memory of its own, which is freed afterwards. */
async function decodeWith<D extends { readonly ready: Promise<void>; free(): void }, R extends Decoded>(
  decoder: D,
  decode: (decoder: D) => R | Promise<R>,
): Promise<R> {
  await decoder.ready
  try {
    return await decode(decoder)
  } finally {
    decoder.free()
  }
}

async function decodeFlac(bytes: Uint8Array, name: string): Promise<Recording> {
  const load = () => import('@wasm-audio-decoders/flac')
  const { FLACDecoder } = await importPackage('@wasm-audio-decoders/flac', 'reading FLAC', load)
  const decoded = await decodeWith(new FLACDecoder(), (decoder) => decoder.decodeFile(bytes))
  // The decoder divides by the largest number, 2^15 - 1 of 16 bits; WAV, and everybody else, by 2^15.
  const largest = 2 ** (decoded.bitDepth - 1) - 1
  const channelData = decoded.channelData.map((channel) =>
    channel.map((value) => Math.round(value * largest) / (largest + 1)),
  )
  return audioOf(name, 'FLAC', { ...decoded, channelData })
}

async function decodeVorbis(bytes: Uint8Array, name: string): Promise<Recording> {
  const load = () => import('@wasm-audio-decoders/ogg-vorbis')
  const { OggVorbisDecoder } = await importPackage('@wasm-audio-decoders/ogg-vorbis', 'reading Vorbis', load)
  return audioOf(name, 'Ogg Vorbis', await decodeWith(new OggVorbisDecoder(), (decoder) => decoder.decodeFile(bytes)))
}

async function decodeMp3(bytes: Uint8Array, name: string): Promise<Recording> {
  const { default: CodecParser } = await importPackage('codec-parser', 'reading MP3', () => import('codec-parser'))
  const { MPEGDecoder } = await importPackage('mpg123-decoder', 'reading MP3', () => import('mpg123-decoder'))
  const decoded = await decodeWith(new MPEGDecoder(), (decoder) => decoder.decode(bytes))
  // The decoder gives two channels always; the first frame says how many there are.
  const frames: Iterator<CodecFrame | OggPage, undefined> = new CodecParser('audio/mpeg').parseChunk(bytes)
  const frame = frames.next().value
  const channels = frame && 'header' in frame ? frame.header.channels : decoded.channelData.length
  return audioOf(name, 'MP3', { ...decoded, channelData: decoded.channelData.slice(0, channels) })
}

/** Opus packets from the pages that hold them. The decoder leaves out what the header says comes before the sound. */
async function decodeOpus(bytes: Uint8Array, name: string): Promise<Recording> {
  const { default: CodecParser } = await importPackage('codec-parser', 'reading Opus', () => import('codec-parser'))
  const { OpusDecoder } = await importPackage('opus-decoder', 'reading Opus', () => import('opus-decoder'))
  const pages = [...new CodecParser('application/ogg').parseAll(bytes)]
  const frames = pages.flatMap((page) => ('codecFrames' in page ? page.codecFrames : []))
  const header = frames[0]?.header
  if (!header || !('preSkip' in header))
    throw new FormatError(`${name}: the Ogg Opus file is damaged: there is no sound in it`)
  const { channels, preSkip, streamCount, coupledStreamCount, channelMappingTable } = header
  const settings = { channels, preSkip, streamCount, coupledStreamCount, channelMappingTable }
  const packets = frames.map(({ data }) => data)
  const decoded = await decodeWith(new OpusDecoder(settings), (decoder) => decoder.decodeFrames(packets))
  // The last page says how many samples there are; the last packet may hold more.
  const last = pages.at(-1)
  const end = last && 'absoluteGranulePosition' in last ? Number(last.absoluteGranulePosition) - preSkip : 0
  const samplesDecoded = end > 0 ? Math.min(end, decoded.samplesDecoded) : decoded.samplesDecoded
  return audioOf(name, 'Ogg Opus', { ...decoded, samplesDecoded })
}

/** What an Ogg file begins with: behind the page's header of 27 bytes and its table of segments, the codec's own first bytes. */
function oggBegins(bytes: Uint8Array, text: string): boolean {
  return startsWith(bytes, 'OggS') && startsWith(bytes.subarray(27 + (bytes[26] ?? 0)), text)
}

const formats: readonly Format[] = [
  { name: 'WAV', isIn: (bytes) => startsWith(bytes, 'RIFF'), decode: async (bytes, name) => parseWav(bytes, name) },
  { name: 'FLAC', isIn: (bytes) => startsWith(bytes, 'fLaC') || oggBegins(bytes, '\x7fFLAC'), decode: decodeFlac },
  { name: 'Ogg Vorbis', isIn: (bytes) => oggBegins(bytes, '\x01vorbis'), decode: decodeVorbis },
  { name: 'Ogg Opus', isIn: (bytes) => oggBegins(bytes, 'OpusHead'), decode: decodeOpus },
  {
    name: 'MP3',
    // Tags, or the eleven set bits that a frame begins with and a layer that is not the reserved one (AAC's).
    isIn: (bytes) =>
      startsWith(bytes, 'ID3') ||
      (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0 && ((bytes[1] ?? 0) & 6) !== 0),
    decode: decodeMp3,
  },
]

/**
 * A recording in memory, by what its first bytes say: WAV; and with optional packages FLAC, MP3, Ogg Vorbis and Ogg Opus (which is always
 * at 48000 Hz). Throws a FormatError (naming `name`) if it is none of these or damaged, a MissingPackageError if a decoder is not installed.
 */
export async function decodeAudio(bytes: Uint8Array, name = 'audio'): Promise<Recording> {
  const format = formats.find(({ isIn }) => isIn(bytes))
  if (!format) {
    const known = formats.map((entry) => entry.name).join(', ')
    const found =
      bytes.length === 0 ? 'an empty file' : `a file that begins with ${JSON.stringify(latin1(bytes.subarray(0, 4)))}`
    throw new FormatError(`${name}: must be one of ${known}, found ${found}`)
  }
  try {
    return await format.decode(bytes, name)
  } catch (error) {
    // The decoders run into the end, and into numbers that cannot be, in their own words.
    if (error instanceof TenfoldError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new FormatError(`${name}: the ${format.name} file is damaged: ${reason}`, { cause: error })
  }
}

/** The recording in a file: `decodeAudio`. Throws a UsageError if the file can't be read. */
export async function readAudio(path: string): Promise<Recording> {
  return decodeAudio(await readBytes(path, maxBytes), path)
}
