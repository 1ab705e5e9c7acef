/** Recordings from files as waveforms of one sample rate. */
import { FormatError } from '../../util/errors.ts'
import { decodeAudio } from '../sources/audio.ts'
import type { FileKind } from '../sources/class-files.ts'
import { resampleWaveform } from './resample.ts'

/** Recordings as files. */
export const recordingFiles: FileKind = {
  unit: 'recording',
  endings: ['.wav', '.flac', '.ogg', '.oga', '.opus', '.mp3'],
  sample: 'folder/snare/1.wav, folder/kick/1.flac',
}

/** How recordings are brought into one form. */
export interface WaveformOptions {
  /** Samples a second. */
  readonly sampleRate: number
  /** Whether the loudest sample becomes 1. */
  readonly normalize: boolean
}

/** The mean of all channels. */
function monoOf(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array()] = channels
  if (channels.length === 1) return first
  return first.map((_, i) => channels.reduce((sum, channel) => sum + (channel[i] ?? 0), 0) / channels.length)
}

/** A waveform whose loudest sample is 1 or -1; silence stays. */
export function peakNormalized(samples: Float32Array): Float32Array {
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return peak > 0 ? samples.map((value) => value / peak) : samples
}

/** The waveform of a recording, all channels mixed. Throws as `decodeAudio`, and a FormatError if a sample is not finite. */
export async function readWaveform(
  bytes: Uint8Array,
  name: string,
  { sampleRate, normalize }: WaveformOptions,
): Promise<Float32Array> {
  const recording = await decodeAudio(bytes, name)
  const mono = monoOf(recording.samples)
  const wrong = mono.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw new FormatError(`${name}: samples must be finite, found ${mono[wrong]} at ${wrong}`)
  if (mono.length === 0) throw new FormatError(`${name}: must have sound in it, found no samples`)
  const samples = resampleWaveform(mono, recording.sampleRate, sampleRate)
  return normalize ? peakNormalized(samples) : samples
}

/** `count` samples from `start` on; what lies beyond the end is silent. */
export function pieceOf(samples: Float32Array, start: number, count: number): Float32Array {
  const piece = new Float32Array(count)
  piece.set(samples.subarray(start, start + count))
  return piece
}

/** Where the piece of a window begins, of `windows` that are evenly spread from the beginning to the end; of one: in the middle. */
export function windowStart(length: number, size: number, window: number, windows: number): number {
  const room = Math.max(0, length - size)
  return Math.round(windows === 1 ? room / 2 : (room * window) / (windows - 1))
}
