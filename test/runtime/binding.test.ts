import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { requireBinding } from '../../src/runtime/binding.ts'
import { told } from '../data/support.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-binding-'))
const vendor = pathToFileURL(`${folder}/`)

test('a platform without a library is named, with those that have one', async () => {
  expect(await told(() => requireBinding('darwin-x64'))).toBe(
    'TenfoldError: ONNX Runtime has no library for darwin-x64, only for darwin-arm64, linux-arm64, linux-x64, win32-arm64, win32-x64 | on a Mac with Apple silicon, use the arm64 build of Node',
  )
  expect(await told(() => requireBinding('linux-riscv64'))).toBe(
    'TenfoldError: ONNX Runtime has no library for linux-riscv64, only for darwin-arm64, linux-arm64, linux-x64, win32-arm64, win32-x64',
  )
})

test('a library that was not laid in is named', async () => {
  const file = join(folder, 'linux-arm64', 'onnxruntime_binding.node')
  expect(await told(() => requireBinding('linux-arm64', vendor))).toBe(
    `TenfoldError: ONNX Runtime's library for linux-arm64 is not installed: no file ${file} | in a clone of tenfold: npm run setup`,
  )
})

test("a library that can't be loaded says what it needs", async () => {
  mkdirSync(join(folder, 'linux-x64'))
  const file = join(folder, 'linux-x64', 'onnxruntime_binding.node')
  writeFileSync(file, 'no library')
  const message = await told(() => requireBinding('linux-x64', vendor))
  expect(message).toContain("TenfoldError: ONNX Runtime's library for linux-x64 can't be loaded: ")
  expect(message).toContain(' | it needs glibc 2.28 or newer, which Alpine does not have')
})
