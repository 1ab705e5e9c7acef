/** Tensors inside an ONNX file. */
import { TensorProto_DataLocation as Location, type TensorProto, TensorProto_DataType as Type } from 'onnx-buf'
import { type DType, elementCount, fromNumbers, type TypedArray } from '../../tensor/dtype.ts'
import { constant } from '../../tensor/tensor.ts'
import { FormatError, UnsupportedError } from './errors.ts'
import { known, type Value } from './values.ts'

/** Types of elements and what they become: half and double precision are computed in float32, narrow whole numbers in int32. */
const dtypes: Readonly<Partial<Record<Type, DType>>> = {
  [Type.FLOAT]: 'float32',
  [Type.FLOAT16]: 'float32',
  [Type.BFLOAT16]: 'float32',
  [Type.DOUBLE]: 'float32',
  [Type.INT8]: 'int32',
  [Type.INT16]: 'int32',
  [Type.INT32]: 'int32',
  [Type.INT64]: 'int64',
  [Type.UINT8]: 'uint8',
  [Type.BOOL]: 'bool',
}

/** What elements of an ONNX type become. */
export function dtypeOf(name: string, type: number): DType {
  const found = dtypes[type as Type]
  if (found) return found
  throw new UnsupportedError(`importOnnx: ${name} has elements of type ${Type[type] ?? type}, which are not supported`)
}

function half(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function bfloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? Number.NaN
}

function fromRaw(bytes: Uint8Array, type: Type): ArrayLike<number | bigint> {
  // A copy: a part of a Buffer need not lie where its elements can be read.
  const { buffer } = Uint8Array.from(bytes)
  switch (type) {
    case Type.FLOAT:
      return new Float32Array(buffer)
    case Type.DOUBLE:
      return new Float64Array(buffer)
    case Type.INT64:
      return new BigInt64Array(buffer)
    case Type.INT32:
      return new Int32Array(buffer)
    case Type.INT16:
      return new Int16Array(buffer)
    case Type.INT8:
      return new Int8Array(buffer)
    case Type.FLOAT16:
      return Array.from(new Uint16Array(buffer), half)
    case Type.BFLOAT16:
      return Array.from(new Uint16Array(buffer), bfloat)
    default:
      return new Uint8Array(buffer)
  }
}

function fromFields({
  dataType,
  floatData,
  doubleData,
  int32Data,
  int64Data,
}: TensorProto): ArrayLike<number | bigint> {
  const type = dataType as Type
  if (type === Type.FLOAT) return floatData
  if (type === Type.DOUBLE) return doubleData
  if (type === Type.INT64) return int64Data
  if (type === Type.FLOAT16) return int32Data.map(half)
  return type === Type.BFLOAT16 ? int32Data.map(bfloat) : int32Data
}

function typed(dtype: DType, values: ArrayLike<number | bigint>): TypedArray {
  if (dtype === 'float32' && values instanceof Float32Array) return values
  if (dtype === 'int64' && values instanceof BigInt64Array) return values
  return fromNumbers(dtype, Array.from(values, Number))
}

/** A tensor of the file: known if it has few elements that are no weights. */
export function readTensor(tensor: TensorProto): Value {
  const { name, dims, dataType, rawData, dataLocation } = tensor
  const dtype = dtypeOf(name || 'a constant', dataType)
  if (dataLocation === Location.EXTERNAL) {
    throw new UnsupportedError(`importOnnx: the weight ${name} lies in another file`, {
      hint: 'save the model as one file: onnx.save(model, path, save_as_external_data=False)',
    })
  }
  const shape = dims.map(Number)
  const values = rawData.length > 0 ? fromRaw(rawData, dataType) : fromFields(tensor)
  if (values.length !== elementCount(shape)) {
    throw new FormatError(
      `importOnnx: ${name || 'a constant'} must have ${elementCount(shape)} elements, found ${values.length}`,
    )
  }
  // As numbers: the largest int64, which stands for no end, is then near enough.
  if (dtype !== 'float32' || values.length <= 1) return known(dtype, shape, Array.from(values, Number))
  return constant(typed(dtype, values), shape, dtype)
}
