import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { EventFileWriter, encodeRecord, encodeScalarEvent, encodeVersionEvent } from '../../src/io/tensorboard.ts'
import { expectError, fixture } from './samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Bytes of a file of events as if all had happened at `wallTime`, which is the first field of each. */
function eventsAt(bytes: Buffer, wallTime: number): Buffer[] {
  const events: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    const event = Buffer.from(bytes.subarray(at + 12, at + 12 + length))
    expect(bytes.subarray(at, at + 16 + length).equals(encodeRecord(event))).toBe(true)
    event.writeDoubleLE(wallTime, 1)
    events.push(event)
    at += 16 + length
  }
  return events
}

test("the bytes are those of TensorBoard's own writer", () => {
  const records = [
    encodeVersionEvent(1.5),
    encodeScalarEvent('loss/train', 0.5, 0, 1.5),
    encodeScalarEvent('loss/train', -1.25, 300, 1.5),
    encodeScalarEvent('λ', 0, 2 ** 40, 1.5),
  ].map(encodeRecord)
  expect(new Uint8Array(Buffer.concat(records))).toEqual(fixture('events.tfevents'))
})

test('scalars are in the file after flush and after close', () => {
  const writer = new EventFileWriter(join(folder, 'run', 'nested'))
  const events = (): Buffer[] => eventsAt(readFileSync(writer.path), 1)
  writer.scalar('loss', 2, 0)
  expect(events()).toEqual([encodeVersionEvent(1)])
  writer.flush()
  expect(events()).toEqual([encodeVersionEvent(1), encodeScalarEvent('loss', 2, 0, 1)])
  writer.scalar('loss', NaN, 1)
  writer.close()
  writer.close()
  expect(events().at(-1)).toEqual(encodeScalarEvent('loss', NaN, 1, 1))
})

test('what waits is bounded', () => {
  const writer = new EventFileWriter(folder)
  for (let step = 0; step < 2000; step++) writer.scalar('loss', step, step)
  expect(readFileSync(writer.path).length).toBeGreaterThan(2 ** 16)
  writer.close()
  expect(eventsAt(readFileSync(writer.path), 1)).toHaveLength(2001)
})

test('two writers in one directory have a file each, with the name that TensorBoard looks for', () => {
  const directory = join(folder, 'two')
  for (const writer of [new EventFileWriter(directory), new EventFileWriter(directory)]) writer.close()
  const names = readdirSync(directory)
  expect(names).toHaveLength(2)
  for (const name of names) expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./)
})

test('mistakes', () => {
  const writer = new EventFileWriter(folder)
  const hint = 'count optimizer steps from 0'
  for (const step of [-1, 0.5, NaN]) {
    const message = `scalar "loss": step must be a whole number, 0 or more, found ${step}`
    expectError(() => writer.scalar('loss', 1, step), 'UsageError', message, hint)
  }
  writer.close()
  expectError(
    () => writer.scalar('loss', 1, 1),
    'UsageError',
    `${writer.path}: is closed`,
    'write scalars before close()',
  )
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const message = `${file}: cannot hold an event file (EEXIST)`
  expectError(() => new EventFileWriter(file), 'UsageError', message, 'give a directory that can be written')
})
