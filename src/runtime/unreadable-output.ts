/**
 * An output that the runtime's Node binding cannot convert. The binding copies every output into a new array after a run, also
 * those that were given a buffer to write into: all weights and moments, at every step (docs/decisions/023-outputs-in-place.md).
 * It converts them in order, so with this one in front it gives up before the first copy, when all buffers are written.
 */

/** Not a name that tenfold gives. */
export const unreadableName = 'tenfold::unreadable'

/** The op that makes it, which is not part of the user's model. */
export const unreadableOp = 'SequenceEmpty'

/** The binding's error for it. */
const refusal = 'Non tensor type is temporarily not supported'

/** Whether an error of a run says only that the unreadable output could not be converted. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.includes(refusal)
}

/** A length-delimited protobuf field. All that is written here is shorter than 128 bytes. */
function field(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return Uint8Array.of((number << 3) | 2, bytes.length, ...bytes)
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((bytes) => [...bytes]))
}

/** The start of a ModelProto whose graph has one node, SequenceEmpty, and its output. Field numbers: onnx.proto. */
function beginning(): Uint8Array {
  const node = message(field(2, unreadableName), field(4, unreadableOp))
  const floats = field(1, Uint8Array.of((1 << 3) | 0, 1))
  const sequence = field(4, field(1, floats))
  const output = message(field(1, unreadableName), field(2, sequence))
  return field(7, message(field(1, node), field(12, output)))
}

/** The model with the unreadable output before its own: protobuf merges messages that are written one after the other. */
export function withUnreadableOutput(model: Uint8Array): Uint8Array {
  const start = beginning()
  const result = new Uint8Array(start.length + model.length)
  result.set(start)
  result.set(model, start.length)
  return result
}
