/** What a page and its worker say to each other: plain messages, numbered where an answer is awaited. */
import type { RuntimeOptions } from '../runtime/session.ts'
import { TenfoldError } from '../util/errors.ts'

/** What the page asks of the worker. */
export type Message =
  | { readonly type: 'start'; readonly id: number; readonly settings: unknown; readonly runtime: RuntimeOptions }
  | { readonly type: 'train'; readonly id: number; readonly steps: number | undefined }
  | { readonly type: 'pause'; readonly id: number }
  | { readonly type: 'ask'; readonly id: number; readonly name: string; readonly argument: unknown }

/** What the worker tells the page. */
export type Reply =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: ErrorText }
  | { readonly type: 'steps'; readonly reports: readonly StepReport<unknown>[] }
  | { readonly type: 'progress'; readonly progress: Progress }

/** One training step, as the page hears of it. */
export interface StepReport<Values> {
  /** Steps since the model was made, this one included. */
  readonly step: number
  /** How long it took. */
  readonly milliseconds: number
  /** What the model's `step` gave. */
  readonly values: Values
}

/** Where opening a model stands: what is done now, and the part of it that is done, 0..1, where that is known. */
export interface Progress {
  readonly what: string
  readonly fraction?: number
}

/** How a stretch of training ended: all steps are done, the page paused it, or the model has nothing more to learn. */
export type TrainingEnd = 'done' | 'paused' | 'finished'

/** One end of the connection: a Worker, the global of one, or a MessagePort. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
}

/** An error as it is sent: errors that cross a worker's border lose their class and hint. */
export interface ErrorText {
  readonly message: string
  readonly hint: string | undefined
}

/** An error in one line: ours whole, those of others their first line. */
export function errorText(error: unknown): ErrorText {
  if (error instanceof TenfoldError) return { message: error.message.replace(/\s*\n\s*/g, ' '), hint: error.hint }
  const text = error instanceof Error ? error.message || error.name : String(error)
  return { message: text.split('\n', 1)[0] ?? '', hint: undefined }
}

/** The error of the other side. */
export function errorFrom({ message, hint }: ErrorText): TenfoldError {
  return new TenfoldError(message, hint === undefined ? {} : { hint })
}
