import { describe, expect, test } from 'vitest'
import { parseMesh } from '../../../src/io/mesh/index.ts'
import { told } from '../../data/support.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

// A tetrahedron.
const corners = [
  [0, 0, 0],
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
]
const faces = [
  [0, 1, 2],
  [0, 2, 3],
  [0, 3, 1],
  [1, 2, 3],
]
const lines = (rows: readonly (readonly number[])[], before = ''): string =>
  rows.map((row) => `${before}${row.join(' ')}\n`).join('')

const asOff = `OFF\n4 4 6\n${lines(corners)}${lines(faces, '3 ')}`
const plyHeader = (format: string): string =>
  `ply\nformat ${format} 1.0\ncomment of nothing\nelement vertex 4\nproperty double x\nproperty float y\nproperty float z\nproperty uchar red\nelement face 4\nproperty list uchar int vertex_indices\nend_header\n`

function binaryPly(little: boolean): Uint8Array {
  const header = encode(plyHeader(little ? 'binary_little_endian' : 'binary_big_endian'))
  const body = new DataView(new ArrayBuffer(4 * 17 + 4 * 13))
  for (const [i, [x = 0, y = 0, z = 0]] of corners.entries()) {
    body.setFloat64(17 * i, x, little)
    body.setFloat32(17 * i + 8, y, little)
    body.setFloat32(17 * i + 12, z, little)
  }
  for (const [i, face] of faces.entries()) {
    body.setUint8(68 + 13 * i, 3)
    for (const [k, corner] of face.entries()) body.setInt32(69 + 13 * i + 4 * k, corner, little)
  }
  return Uint8Array.of(...header, ...new Uint8Array(body.buffer))
}

function binaryStl(count = faces.length): Uint8Array {
  const file = new DataView(new ArrayBuffer(84 + 50 * faces.length))
  new Uint8Array(file.buffer).set(encode('solid it is not')) // as some programs write
  file.setUint32(80, count, true)
  for (const [i, face] of faces.entries()) {
    for (const [k, corner] of face.entries()) {
      for (const [axis, value] of (corners[corner] ?? []).entries())
        file.setFloat32(84 + 50 * i + 12 * (k + 1) + 4 * axis, value, true)
    }
  }
  return new Uint8Array(file.buffer)
}

const textStl = `solid t\n${faces
  .map(
    (face) =>
      `facet normal 0 0 0\nouter loop\n${lines(
        face.map((c) => corners[c] ?? []),
        'vertex ',
      )}endloop\nendfacet\n`,
  )
  .join('')}endsolid t\n`

/** The corners of each triangle. */
function triangles(bytes: Uint8Array, name: string): number[][][] {
  const mesh = parseMesh(bytes, name)
  const all = Array.from(mesh.triangles, (corner) => [...mesh.vertices.subarray(3 * corner, 3 * corner + 3)])
  return Array.from({ length: all.length / 3 }, (_, i) => all.slice(3 * i, 3 * i + 3))
}

const wanted = faces.map((face) => face.map((corner) => corners[corner]))

test.each([
  ['a.off', encode(asOff)],
  ['counts-behind-the-word.off', encode(asOff.replace('OFF\n', 'OFF'))],
  ['comments.OFF', encode(asOff.replace('OFF\n', '# made by hand\nOFF # that is it\n\n'))],
  ['colours.off', encode(`COFF\n4 4 0\n${lines(corners.map((row) => [...row, 255, 0, 0, 1]))}${lines(faces, '3 ')}`)],
  [
    'a.obj',
    encode(
      `mtllib a.mtl\n${lines(corners, 'v ')}vn 0 0 1\n${lines(
        faces.map((face) => face.map((c) => c + 1)),
        'f ',
      )}`,
    ),
  ],
  [
    'negative.obj',
    encode(
      `${lines(corners, 'v ')}${lines(
        faces.map((face) => face.map((c) => c - 4)),
        'f ',
      )}`,
    ),
  ],
  [
    'textured.obj',
    encode(
      `${lines(corners, 'v ')}${faces.map((face) => `f ${face.map((c) => `${c + 1}/1/2`).join(' ')}\r\n`).join('')}`,
    ),
  ],
  ['text.ply', encode(plyHeader('ascii') + lines(corners.map((row) => [...row, 9])) + lines(faces, '3 '))],
  ['little.ply', binaryPly(true)],
  ['big.ply', binaryPly(false)],
  ['text.stl', encode(textStl)],
  ['binary.stl', binaryStl()],
])('%s has the triangles of a tetrahedron', (name, bytes) => {
  expect(triangles(bytes, name)).toEqual(wanted)
})

test('polygons become fans; lines and points have no surface', () => {
  const square = encode('v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\nf 1 3\nl 1 2\np 1\n')
  expect([...parseMesh(square, 'a.obj').triangles]).toEqual([0, 1, 2, 0, 2, 3])
})

test('a PLY without faces is a cloud of points', () => {
  const cloud = encode(
    'ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\n1 2 3\n4 5 6\n',
  )
  expect(parseMesh(cloud, 'a.ply')).toEqual({
    vertices: Float32Array.of(1, 2, 3, 4, 5, 6),
    triangles: new Uint32Array(),
  })
})

describe('damaged files get one line', () => {
  test.each([
    ['a.off', encode('hello'), 'a.off: the OFF file must begin with OFF, found "hello"'],
    ['a.off', new Uint8Array(), 'a.off: the OFF file must begin with OFF, found ""'],
    ['a.off', encode('OFF\n4 x\n'), 'a.off: the OFF file must say how many vertices and faces it has, found "4 x"'],
    [
      'a.off',
      encode('OFF\n4 4 0\n0 0 0\n'),
      'a.off: the OFF file is cut off: it says 4 vertices and 4 faces, and has 1 lines of them',
    ],
    [
      'a.off',
      encode('4OFF\n1 0 0\n0 0 0 0\n'),
      'a.off: the OFF file must be text with three coordinates, found "4OFF"',
    ],
    [
      'a.off',
      encode('OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1\n'),
      'a.off: the OFF file must have as many corners in a face as it says, found "3 0 1"',
    ],
    ['a.obj', encode('v 0 0\n'), 'a.obj: the OBJ file: a vertex must be three numbers, found 0 0 NaN for vertex 1'],
    ['a.obj', encode('# nothing\n'), 'a.obj: the OBJ file: must have vertices, found none'],
    [
      'a.obj',
      encode('v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n'),
      'a.obj: the OBJ file: a face must have corners 1 to 3, found 9',
    ],
    [
      'a.obj',
      encode('v 0 0 0\nf a b c\n'),
      'a.obj: the OBJ file: a face must have numbers of vertices, found "f a b c" in line 2',
    ],
    ['a.stl', encode('x'), 'a.stl: the STL file must have at least 84 bytes, or begin with "solid", found 1'],
    ['a.stl', binaryStl(5), 'a.stl: the STL file is cut off: it ends after 0 corners of triangles, without endsolid'],
    [
      'a.stl',
      encode(textStl.slice(0, 200)),
      'a.stl: the STL file is cut off: it ends after 6 corners of triangles, without endsolid',
    ],
    ['a.ply', encode('plz'), 'a.ply: the PLY file must begin with "ply" and have an "end_header", found "plz"'],
    [
      'a.ply',
      encode('ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nend_header\n1'),
      'a.ply: the PLY file: a vertex must be three numbers, found 1 NaN NaN for vertex 0',
    ],
    [
      'a.ply',
      encode('ply\nformat ascii 1.0\nelement vertex 1\nproperty half x\nend_header\n1'),
      'a.ply: the PLY file must have properties of known types, found "property half x"',
    ],
    [
      'a.ply',
      encode('ply\nformat weird 1.0\nend_header\n1'),
      'a.ply: the PLY file must be ascii, binary_little_endian or binary_big_endian, found "weird"',
    ],
    [
      'a.ply',
      binaryPly(true).subarray(0, 250),
      expect.stringMatching(/^a\.ply: the PLY file is cut off after \d+ bytes of its elements$/),
    ],
    ['a.xyz', encode('1 2 3'), 'a.xyz: must end in .off, .obj, .stl, .ply'],
  ])('%s', async (name, bytes, message) => {
    const found = await told(() => parseMesh(bytes, name))
    expect(found.replace(/^FormatError: /, '')).toEqual(message)
  })
})
