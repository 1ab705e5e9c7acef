/** A model in a worker as components see it, without a worker, and without Svelte: its state is then plain values. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Message } from '../../src/web/protocol.ts'

const plain = <T>(value: T): T => value

/** Answers when it is told to. */
class FakeWorker {
  readonly #asked: Message[] = []
  #listener: (event: { readonly data: unknown }) => void = () => undefined

  constructor() {
    workers.push(this)
  }

  postMessage(message: Message): void {
    this.#asked.push(message)
  }

  addEventListener(type: string, listener: (event: { readonly data: unknown }) => void): void {
    if (type === 'message') this.#listener = listener
  }

  terminate(): void {}

  /** Resolves when the first message that has no answer is of this type. */
  async asked(type: Message['type']): Promise<void> {
    await vi.waitFor(() => expect(this.#asked[0]?.type).toBe(type))
  }

  /** Answers that message. */
  async answer(type: Message['type'], value?: unknown): Promise<void> {
    await this.asked(type)
    this.#listener({ data: { type: 'answer', id: this.#asked.shift()?.id, value } })
  }
}
const workers: FakeWorker[] = []

type Program = (settings: { width: number }) => Promise<{
  step: () => Promise<{ loss: number }>
  requests: { look: () => string; test: () => string }
}>

/** A model that is open, and its worker. */
async function opened() {
  const { Training } = await import('../../src/pages/shell/training.svelte.ts')
  const training = new Training<Program>(({ loss }) => loss)
  const isOpen = training.open('first', { width: 1 })
  const [worker] = workers
  if (!worker) throw new Error('no worker was made')
  await worker.answer('start')
  expect(await isOpen).toBe(true)
  return { training, worker }
}

beforeEach(() => {
  vi.stubGlobal('$state', Object.assign(plain, { raw: plain }))
  vi.stubGlobal('document', { baseURI: 'http://localhost/mixer/' })
  vi.stubGlobal('Worker', FakeWorker)
})
afterEach(() => {
  vi.unstubAllGlobals()
  workers.length = 0
})

test('an answer comes from the model that is there, not from the one before', async () => {
  const { training, worker } = await opened()
  const look = () => training.ask((each) => each.ask('look'))
  const first = look()
  await worker.answer('ask', 'of the first')
  expect(await first).toBe('of the first')

  const stale = look()
  await worker.asked('ask')
  const isOpen = training.open('second', { width: 2 })
  const next = look()
  await worker.answer('ask', 'of the first')
  expect(await stale).toBe(undefined)
  await worker.answer('start')
  expect(await isOpen).toBe(true)
  await worker.answer('ask', 'of the second')
  expect(await next).toBe('of the second')
})

test('questions that belong together are asked of one model', async () => {
  const { training, worker } = await opened()
  const { model } = training
  const first = training.ask((each) => each.ask('look'), model)
  await worker.answer('ask', 'of the first')
  expect(await first).toBe('of the first')
  const isOpen = training.open('second', { width: 2 })
  await worker.answer('start')
  await isOpen
  const question = vi.fn(async () => 'of the second')
  expect(await training.ask(question, model)).toBe(undefined)
  expect(question).not.toHaveBeenCalled()
  expect(await training.ask(question)).toBe('of the second')
  expect(training.error).toBe('')
})
