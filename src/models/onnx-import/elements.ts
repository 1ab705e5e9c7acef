/** Tensors inside an ONNX file. */
import { TensorProto_DataLocation as Location, type TensorProto, TensorProto_DataType as Type } from 'onnx-buf'
import { elementBytes, elementDType, type FileElement, readElements } from '../../io/elements.ts'
import { type DType, elementCount, fromNumbers, type TypedArray } from '../../tensor/dtype.ts'
import { constant } from '../../tensor/tensor.ts'
import { FormatError, UnsupportedError } from './errors.ts'
import { known, type Value } from './values.ts'

/** The types of elements that are read, as files have them. */
const elements: Readonly<Partial<Record<Type, FileElement>>> = {
  [Type.FLOAT]: 'f32',
  [Type.FLOAT16]: 'f16',
  [Type.BFLOAT16]: 'bf16',
  [Type.DOUBLE]: 'f64',
  [Type.INT8]: 'i8',
  [Type.INT16]: 'i16',
  [Type.INT32]: 'i32',
  [Type.INT64]: 'i64',
  [Type.UINT8]: 'u8',
  [Type.BOOL]: 'bool',
}

function elementOf(name: string, type: number): FileElement {
  const found = elements[type as Type]
  if (found) return found
  throw new UnsupportedError(`importOnnx: ${name} has elements of type ${Type[type] ?? type}, which are not supported`)
}

/** What elements of an ONNX type become: half and double precision float32, narrow whole numbers int32. */
export function dtypeOf(name: string, type: number): DType {
  return elementDType(elementOf(name, type))
}

/** Elements that do not stand in the file as bytes; those of half precision are their bits, as numbers. */
function fromFields({ floatData, doubleData, int32Data, int64Data }: TensorProto, element: FileElement): TypedArray {
  if (element === 'i64') return BigInt64Array.from(int64Data)
  if (element === 'f32') return Float32Array.from(floatData)
  if (element === 'f64') return Float32Array.from(doubleData)
  if (element === 'f16' || element === 'bf16')
    return readElements('', element, [int32Data.length], new Uint8Array(Uint16Array.from(int32Data).buffer)).data
  return fromNumbers(elementDType(element), int32Data)
}

/** A tensor of the file: known if it has few elements that are no weights. */
export function readTensor(tensor: TensorProto): Value {
  const { name, dims, dataType, rawData, dataLocation } = tensor
  const element = elementOf(name || 'a constant', dataType)
  const dtype = elementDType(element)
  if (dataLocation === Location.EXTERNAL) {
    throw new UnsupportedError(`importOnnx: the weight ${name} lies in another file`, {
      hint: 'save the model as one file: onnx.save(model, path, save_as_external_data=False)',
    })
  }
  const shape = dims.map(Number)
  const fields = rawData.length > 0 ? undefined : fromFields(tensor, element)
  const count = fields ? fields.length : rawData.length / elementBytes(element)
  if (count !== elementCount(shape)) {
    throw new FormatError(
      `importOnnx: ${name || 'a constant'} must have ${elementCount(shape)} elements, found ${count}`,
    )
  }
  const data = fields ?? readElements(name, element, shape, rawData).data
  // As numbers: the largest int64, which stands for no end, is then near enough.
  if (dtype !== 'float32' || count <= 1) return known(dtype, shape, Array.from(data, Number))
  return constant(data, shape, dtype)
}
