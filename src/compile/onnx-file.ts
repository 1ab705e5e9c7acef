/**
 * The messages of an ONNX file (onnx.proto) as plain objects, and their bytes. Only what tenfold writes: with the generated classes of
 * the whole format, which files of others are read with, a page would load 20 KB more.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** TensorProto.DataType */
export const elementTypes = { FLOAT: 1, UINT8: 2, INT32: 6, INT64: 7, BOOL: 9, DOUBLE: 11 } as const

/** AttributeProto.AttributeType */
export const attributeTypes = { FLOAT: 1, INT: 2, STRING: 3, TENSOR: 4, GRAPH: 5, FLOATS: 6, INTS: 7 } as const

/** TensorProto */
export interface OnnxTensor {
  readonly dims?: readonly number[]
  readonly dataType: number
  readonly name?: string
  readonly rawData?: Uint8Array
  readonly doubleData?: readonly number[]
}

/** AttributeProto */
export interface OnnxAttributeValue {
  readonly name: string
  readonly f?: number
  readonly i?: number
  readonly s?: Uint8Array
  readonly t?: OnnxTensor
  readonly g?: OnnxGraph
  readonly floats?: readonly number[]
  readonly ints?: readonly number[]
  readonly type: number
}

/** NodeProto */
export interface OnnxNode {
  readonly input: readonly string[]
  output: readonly string[]
  readonly name: string
  readonly opType: string
  readonly attribute: readonly OnnxAttributeValue[]
  readonly domain: string
}

/** ValueInfoProto of a tensor. `shape`: sizes or their names; unknown where it is left out. */
export interface OnnxValue {
  readonly name: string
  readonly elemType?: number
  readonly shape?: readonly (number | string)[]
}

/** GraphProto */
export interface OnnxGraph {
  readonly node: readonly OnnxNode[]
  readonly name: string
  readonly initializer?: readonly OnnxTensor[]
  readonly input: readonly OnnxValue[]
  readonly output: readonly OnnxValue[]
}

/** ModelProto */
export interface OnnxFileModel {
  readonly irVersion: number
  readonly producerName: string
  readonly docString: string
  readonly graph: OnnxGraph
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[]
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[]
}

type Write<T> = (writer: BinaryWriter, value: T) => void

/** A field of a message, by its number, if it has a value. */
function field<T>(writer: BinaryWriter, number: number, type: WireType, value: T | undefined, write: Write<T>): void {
  if (value === undefined) return
  writer.tag(number, type)
  write(writer, value)
}

const text = (writer: BinaryWriter, number: number, value: string | undefined): void =>
  field(writer, number, WireType.LengthDelimited, value, (to, each) => to.string(each))
const bytes = (writer: BinaryWriter, number: number, value: Uint8Array | undefined): void =>
  field(writer, number, WireType.LengthDelimited, value, (to, each) => to.bytes(each))
const whole = (writer: BinaryWriter, number: number, value: number | undefined): void =>
  field(writer, number, WireType.Varint, value, (to, each) => to.int64(each))
const float = (writer: BinaryWriter, number: number, value: number | undefined): void =>
  field(writer, number, WireType.Bit32, value, (to, each) => to.float(each))
const message = <T>(writer: BinaryWriter, number: number, value: T | undefined, write: Write<T>): void =>
  field(writer, number, WireType.LengthDelimited, value, (to, each) => {
    to.fork()
    write(to, each)
    to.join()
  })

function writeTensor(writer: BinaryWriter, { dims = [], dataType, name, rawData, doubleData }: OnnxTensor): void {
  for (const size of dims) whole(writer, 1, size)
  whole(writer, 2, dataType)
  text(writer, 8, name)
  bytes(writer, 9, rawData)
  message(writer, 10, doubleData, (to, values) => {
    for (const value of values) to.double(value)
  })
}

function writeAttribute(
  writer: BinaryWriter,
  { name, f, i, s, t, g, floats = [], ints = [], type }: OnnxAttributeValue,
): void {
  text(writer, 1, name)
  float(writer, 2, f)
  whole(writer, 3, i)
  bytes(writer, 4, s)
  message(writer, 5, t, writeTensor)
  message(writer, 6, g, writeGraph)
  for (const each of floats) float(writer, 7, each)
  for (const each of ints) whole(writer, 8, each)
  whole(writer, 20, type)
}

function writeNode(writer: BinaryWriter, { input, output, name, opType, attribute, domain }: OnnxNode): void {
  for (const each of input) text(writer, 1, each)
  for (const each of output) text(writer, 2, each)
  text(writer, 3, name)
  text(writer, 4, opType)
  for (const each of attribute) message(writer, 5, each, writeAttribute)
  text(writer, 7, domain)
}

function writeDimension(writer: BinaryWriter, size: number | string): void {
  if (typeof size === 'number') whole(writer, 1, size)
  else text(writer, 2, size)
}

/** Its type is a TypeProto with a TypeProto.Tensor. */
function writeValue(writer: BinaryWriter, { name, elemType, shape }: OnnxValue): void {
  text(writer, 1, name)
  message(writer, 2, elemType, (inType, element) =>
    message(inType, 1, element, (inTensor) => {
      whole(inTensor, 1, element)
      message(inTensor, 2, shape, (inShape, sizes) => {
        for (const size of sizes) message(inShape, 1, size, writeDimension)
      })
    }),
  )
}

function writeGraph(writer: BinaryWriter, { node, name, initializer = [], input, output }: OnnxGraph): void {
  for (const each of node) message(writer, 1, each, writeNode)
  text(writer, 2, name)
  for (const each of initializer) message(writer, 5, each, writeTensor)
  for (const each of input) message(writer, 11, each, writeValue)
  for (const each of output) message(writer, 12, each, writeValue)
}

/** The bytes of an attribute. */
export function attributeBytes(attribute: OnnxAttributeValue): Uint8Array {
  const writer = new BinaryWriter()
  writeAttribute(writer, attribute)
  return writer.finish()
}

/** The bytes of a file. */
export function fileBytes(model: OnnxFileModel): Uint8Array {
  const writer = new BinaryWriter()
  whole(writer, 1, model.irVersion)
  text(writer, 2, model.producerName)
  text(writer, 6, model.docString)
  message(writer, 7, model.graph, writeGraph)
  for (const each of model.opsetImport)
    message(writer, 8, each, (to, { domain, version }) => {
      text(to, 1, domain)
      whole(to, 2, version)
    })
  for (const each of model.metadataProps)
    message(writer, 14, each, (to, { key, value }) => {
      text(to, 1, key)
      text(to, 2, value)
    })
  return writer.finish()
}
