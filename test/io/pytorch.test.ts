import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { readPytorch } from '../../src/io/pytorch.ts'
import { bytesOfText, described, expectDamaged, expectError, fixture } from './samples.ts'

/** A checkpoint with this pickle and a storage `0` of these bytes. */
function checkpoint(pickle: string, storage = new Uint8Array(24), extra: Record<string, Uint8Array> = {}): Uint8Array {
  return zipSync({ 'a/data.pkl': bytesOfText(pickle), 'a/data/0': storage, ...extra }, { level: 0 })
}

/** The instructions that build a tensor on storage 0; offset, shape and strides are instructions too. */
function tensor(offset: string, shape: string, strides: string, storage = 'FloatStorage'): string {
  const id = `(U\x07storagectorch\n${storage}\nU\x010U\x03cpuK\x06tQ`
  return `ctorch._utils\n_rebuild_tensor_v2\n(${id}${offset}${shape}${strides}\x89NtR`
}

const small = tensor('K\x00', 'K\x02\x85', 'K\x01\x85')
const hint = 'save the state dict alone: torch.save(model.state_dict(), path)'

const tensors = {
  'state_dict.fc.weight': 'float32[2,3] 0 1 2 3 4 5',
  'state_dict.fc.transposed': 'float32[3,2] 0 3 1 4 2 5',
  'state_dict.fc.window': 'float32[2] 4 5',
  'state_dict.fc.strided': 'float32[3] 1 3 5',
  'state_dict.fc.expanded': 'float32[2,2] 1 1 2 2',
  'state_dict.fc.bias': 'float32[2] 0.5 1.5',
  'types.0': 'float32[2] 0.5 -1.5',
  'types.1': 'float32[2] 1 -3',
  'types.2': 'float32[1] 0.25',
  'types.3': 'bool[2] 1 0',
  'types.4': 'int64[] 12',
  'types.5': 'int32[1] -3',
  'types.6': 'int32[1] -4',
  'types.7': 'int32[1] -5',
  'types.8': 'uint8[1] 200',
  'types.9': 'int32[1] 65535',
  tagged: 'float32[1] 9',
  empty: 'float32[0,4]',
}

const metadata = {
  epoch: '3',
  lr: '0.1',
  name: 'run',
  done: 'false',
  'betas.0': '0.9',
  'betas.1': '0.999',
  big: '1180591620717411303424',
  'shape.0': '2',
  'shape.1': '3',
  device: 'cpu',
  dtype: 'torch.float16',
  'classes.0': '1',
}

test.each(['checkpoint.pt', 'protocol-4.pt'])("PyTorch's %s: nested, strided, shared, of all types", (name) => {
  const file = readPytorch(fixture(name))
  expect(file.format).toBe('pytorch')
  expect(described(file.tensors)).toEqual(tensors)
  expect(file.metadata).toEqual(metadata)
})

test('a file of a big-endian machine', () => {
  const file = readPytorch(fixture('big-endian.pt'))
  expect(described(file.tensors)).toEqual({ w: 'float32[3,2] 0 3 1 4 2 5', n: 'int64[2] 1 -2' })
})

test('a tensor alone, and a number alone', () => {
  expect(described(readPytorch(checkpoint(`${small}.`)).tensors)).toEqual({ tensor: 'float32[2] 0 0' })
  expect(readPytorch(checkpoint('K\x05.')).metadata).toEqual({ value: '5' })
})

test('keys may be the names that objects have', () => {
  expect(readPytorch(checkpoint('}U\x09__proto__U\x01xs.')).metadata).toEqual(JSON.parse('{"__proto__":"x"}'))
})

describe('what is left out, never built', () => {
  test('the command of a hostile file', () => {
    const { tensors, leftOut } = readPytorch(fixture('evil.pt'))
    expect([...tensors.keys()]).toEqual(['weights'])
    expect(leftOut).toEqual(new Map([['evil', 'posix.system']]))
  })
  test("objects of a training's other classes, tensors of other kinds", () => {
    const { tensors: found, metadata: said, leftOut } = readPytorch(fixture('classes.pt'))
    expect(described(found)).toEqual({
      'state_dict.module.fc.weight': 'float32[2] 1 2',
      'state_dict.module.fc.tied': 'float32[2] 1 2',
      'state_dict.module.fc.tagged': 'float32[1] 3',
      'state_dict.buffer': 'float32[2] 1 1',
      scalar: 'float32[] 4',
      empty: 'float32[0,3]',
      half: 'float32[1] 0.5',
    })
    expect(said).toEqual({ device: 'cuda:1', class: 'torch.nn.modules.linear.Linear' })
    expect(Object.fromEntries(leftOut ?? [])).toEqual({
      args: 'argparse.Namespace',
      color: 'project.Color',
      slots: 'project.Slots',
      names: 'project.Names',
      keywords: 'project.Keywords',
      namespace: 'collections.deque',
      counts: 'collections.Counter',
      now: 'datetime.datetime',
      path: 'pathlib.PurePosixPath',
      best: 'numpy._core.multiarray.scalar',
      array: 'numpy._core.multiarray._reconstruct',
      partial: 'functools.partial',
      optimizer: 'torch.optim.sgd.SGD',
      bytes: 'bytes',
      generator: 'torch._C.Generator',
      sparse: 'sparse tensor',
      quantized: 'quantized tensor',
      complex: 'tensor of torch.ComplexFloatStorage',
      float8: 'tensor of torch.float8_e4m3fn',
      meta: 'tensor without data (meta)',
      nested: 'nested tensor',
      storage: 'storage',
      'the outermost dict': 'a key that is neither text nor number',
    })
  })
  test('nothing is said where nothing is left out', () => {
    expect(readPytorch(checkpoint(`${small}.`))).not.toHaveProperty('leftOut')
  })
  test('keys that are no names', () => {
    const { leftOut } = readPytorch(checkpoint('}U\x01a}N\x85Nss.'))
    expect(leftOut).toEqual(new Map([['a', 'a key that is neither text nor number']]))
  })
  test.each([
    ['torch.nn.modules.linear.Linear', checkpoint('ctorch.nn.modules.linear\nLinear\n)\x81}b.')],
    ['torch.FloatStorage', checkpoint('ctorch\nFloatStorage\n)R.')],
    ['tensor of torch.ComplexFloatStorage', fixture('complex.pt')],
  ])('a file of nothing but %s', (name, bytes) => {
    const message = `PyTorch checkpoint: is one whole object, which is not built: "${name}"`
    expectError(() => readPytorch(bytes), 'FormatError', message, hint)
  })
})

test.each([
  ['torch.export (.pt2)', ['m/archive_format', 'm/models/model.json', 'm/data/weights/weight_0']],
  ['torch.export (.pt2)', ['serialized_exported_program.json', 'serialized_state_dict.pt', 'version']],
  ['AOTInductor (.pt2)', ['m/data/aotinductor/model/a.so']],
  ['torch.package', ['m/.data/extern_modules', 'm/x/model.pkl']],
])('an archive of %s', (kind, names) => {
  expectError(
    () => readPytorch(zipSync(Object.fromEntries(names.map((name) => [name, new Uint8Array()])))),
    'FormatError',
    `is an archive of ${kind}, a program with its weights, which is not read`,
    'load it with PyTorch and save its weights alone: torch.save(model.state_dict(), path)',
  )
})

describe('TorchScript', () => {
  const module = (name: string, attributes: string): string =>
    `c__torch__\n${name}\n)\x81}(U\x08training\x89U\x04hookN${attributes}ub`
  const script = { 'a/constants.pkl': bytesOfText(').'), 'a/code/__torch__.py': bytesOfText('class M(Module): ...') }
  const nested = `${module('M', `U\x01w${small}U\x05inner${module('inner.L', `U\x01b${tensor('K\x00', ')', ')', 'HalfStorage')}`)}`)}.`

  test('parameters of modules, also of 16 bits, have the names of a state dict', () => {
    const { tensors, metadata, leftOut } = readPytorch(checkpoint(nested, undefined, script))
    expect([...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype} ${shape.join('x')}`)).toEqual([
      'w float32 2',
      'inner.b float32 ',
    ])
    expect(metadata).toEqual({})
    expect(leftOut).toBeUndefined()
  })

  test('the same modules are no state where no program is', () => {
    const message = 'PyTorch checkpoint: is one whole object, which is not built: "__torch__.M"'
    expectError(() => readPytorch(checkpoint(nested)), 'FormatError', message, hint)
  })
})

describe('damaged checkpoints', () => {
  const shapeOf = (sizes: string): string => tensor('K\x00', sizes, sizes)
  const long = `(${'K\x01'.repeat(65)}t`
  test.each<[string, Uint8Array, string]>([
    [
      'a storage that is missing',
      zipSync({ 'a/data.pkl': bytesOfText(`${small}.`) }),
      'PyTorch checkpoint: the archive has no storage "0"',
    ],
    [
      'a storage that is too short',
      checkpoint(`}U\x01w${small}s.`, new Uint8Array(7)),
      'PyTorch checkpoint: tensor "w" needs 8 bytes of storage "0", which has 7',
    ],
    [
      'strides out of the storage',
      checkpoint(`${tensor('K\x01', 'K\x02\x85', 'K\x05\x85')}.`),
      'PyTorch checkpoint: tensor "tensor" needs 28 bytes of storage "0", which has 24',
    ],
    [
      'an offset below 0',
      checkpoint(`${tensor('J\xff\xff\xff\xff', ')', ')')}.`),
      "PyTorch checkpoint: a tensor's offset must be a whole number of elements",
    ],
    [
      'sizes that are no numbers',
      checkpoint(`${shapeOf('N\x85')}.`),
      "PyTorch checkpoint: a tensor's shape must be at most 64 sizes",
    ],
    ['no sizes', checkpoint(`${shapeOf('N')}.`), "PyTorch checkpoint: a tensor's shape must be at most 64 sizes"],
    ['too many', checkpoint(`${shapeOf(long)}.`), "PyTorch checkpoint: a tensor's shape must be at most 64 sizes"],
    [
      'fewer strides than sizes',
      checkpoint(`${tensor('K\x00', 'K\x02\x85', ')')}.`),
      'PyTorch checkpoint: a tensor has 1 sizes and 0 strides',
    ],
    [
      'more elements than numbers',
      checkpoint(`${shapeOf(`${'\x8a\x06\xff\xff\xff\xff\xff\x7f'.repeat(2)}\x86`)}.`),
      'PyTorch checkpoint: tensor "tensor" has 1.9807040628565803e+28 elements, more than any array',
    ],
    [
      'a tensor without a storage',
      checkpoint('ctorch._utils\n_rebuild_tensor_v2\n(NK\x00))tR.'),
      'PyTorch checkpoint: a tensor has no storage',
    ],
    [
      'a storage without a type',
      checkpoint('(U\x07storageNU\x010tQ.'),
      'PyTorch checkpoint: a storage must have a type and a name',
    ],
    [
      'a parameter without a tensor',
      checkpoint('ctorch._utils\n_rebuild_parameter\nN\x85R.'),
      'PyTorch checkpoint: a parameter has no tensor',
    ],
    [
      'nested too deep',
      checkpoint(`N${'\x85'.repeat(100_000)}.`),
      'PyTorch checkpoint: is nested deeper than 64 levels',
    ],
    [
      'containers that hold one another twice',
      checkpoint(`N${'2\x86'.repeat(60)}.`),
      'PyTorch checkpoint: its dicts and lists have more entries than any checkpoint',
    ],
    ['a list that holds itself', checkpoint(']q\x00h\x00a.'), 'PyTorch checkpoint: is nested deeper than 64 levels'],
    [
      'another order of bytes',
      checkpoint(`${small}.`, new Uint8Array(24), { 'a/byteorder': bytesOfText('middle') }),
      'PyTorch checkpoint: the byte order must be "little" or "big", found "middle"',
    ],
  ])('%s', (_case, bytes, message) => {
    expectDamaged(() => readPytorch(bytes), message)
  })
  test('tensors that are far larger than the file', () => {
    expectError(
      () => readPytorch(checkpoint(`${tensor('K\x00', 'J\x00\x00\x00\x7f\x85', 'K\x00\x85')}.`)),
      'FormatError',
      "PyTorch checkpoint: its tensors take more than 16 times the file's size",
      'save copies of tensors that are expanded: tensor.contiguous()',
    )
  })
  test('two values of one name', () => {
    expectError(
      () => readPytorch(checkpoint('}(U\x03a.bK\x01U\x01a}U\x01bK\x02su.')),
      'FormatError',
      'PyTorch checkpoint: two values have the name "a.b"',
      'nested dicts become dotted names: rename a key that has a dot',
    )
  })
  test('an archive of something else', () => {
    expectError(
      () => readPytorch(zipSync({ a: new Uint8Array(3) })),
      'FormatError',
      'PyTorch checkpoint: the archive has no data.pkl',
      'write it with torch.save of 1.6 or later',
    )
  })
})
