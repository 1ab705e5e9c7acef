/** `tenfold info` as a user runs it, on files of many kinds. */
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema } from 'onnx-buf'
import { expect, test } from 'vitest'
import { writeSafetensors } from '../../src/io/safetensors.ts'

const program = new URL('../../bin/tenfold.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'tenfold-info-'))

function tenfold(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}

test('info says what a file holds, or what it is', async () => {
  const fixtures = new URL('../fixtures/io/', import.meta.url).pathname
  const classes = await tenfold('info', `${fixtures}classes.pt`)
  expect(classes.code).toBe(0)
  expect(classes.out).toContain('\n  left out       args (argparse.Namespace), color (project.Color), ')
  expect(classes.out).toContain('\n  state_dict.module.fc.weight                      float32[2]\n')
  expect((await tenfold('info', `${fixtures}texts.npz`)).out).toContain(
    '  left out       name (array of <U5), classes ',
  )
  const old = await tenfold('info', `${fixtures}legacy.pt`)
  expect(old).toEqual({
    code: 2,
    out: '',
    err: `error: ${fixtures}legacy.pt: must be a safetensors, .npz, .npy or PyTorch file, is a PyTorch file from before PyTorch 1.6, which is not read (load it with a recent PyTorch and save it again: torch.save(torch.load(path), path))\n`,
  })
})

test('verify of what is no case is bad input', async () => {
  const path = join(folder, 'case.json')
  writeFileSync(path, 'no JSON')
  expect(await tenfold('verify', path)).toMatchObject({
    code: 2,
    out: expect.stringContaining('FAIL case.json is not valid JSON\n0 passed, 1 failed\n'),
  })
})

test('info shows no control characters of a file', async () => {
  const path = join(folder, 'name.safetensors')
  writeFileSync(
    path,
    writeSafetensors([['a\x1b[2J', { dtype: 'uint8', shape: [1], data: Uint8Array.of(1) }]], { b: 'c\nd' }),
  )
  const { out } = await tenfold('info', path)
  expect(out).toContain('  b              c\\x0ad\n')
  expect(out).toContain('  a\\x1b[2J ')
})

test('info on the weights of an ONNX model in a file of their own', async () => {
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: 'test',
    graph: {
      initializer: [{ name: 'w', dims: [2n], dataType: 1, externalData: [{ key: 'location', value: 'weights' }] }],
    },
  })
  writeFileSync(join(folder, 'outside.onnx'), toBinary(ModelProtoSchema, model))
  writeFileSync(join(folder, 'weights'), new Uint8Array(8))
  expect((await tenfold('info', join(folder, 'outside.onnx'))).out).toContain('\n  external data  weights\n')
  expect(await tenfold('info', join(folder, 'weights'))).toEqual({
    code: 2,
    out: '',
    err: `error: ${folder}/weights: is the external data of the ONNX model outside.onnx, which says where each tensor is in it (tenfold info ${folder}/outside.onnx)\n`,
  })
})
