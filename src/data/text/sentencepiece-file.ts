/** Reads SentencePiece's model files (sentencepiece_model.proto). */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { FormatError } from '../../util/errors.ts'
import type { SentencePieceModel } from './sentencepiece.ts'

const pieceTypes = ['', 'normal', 'unknown', 'control', 'user_defined', 'unused', 'byte'] as const
const modelTypes = ['', 'unigram', 'bpe'] as const

/** Visits the fields of a message; a visitor that returns false leaves the field to be skipped. */
function readFields(bytes: Uint8Array, visit: (field: number, reader: BinaryReader, type: WireType) => boolean): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (!visit(field, reader, type)) reader.skip(type, field)
  }
}

interface Piece {
  piece: string
  score: number
  type: string
}

function readPiece(bytes: Uint8Array): Piece {
  const piece: Piece = { piece: '', score: 0, type: 'normal' }
  readFields(bytes, (field, reader, type) => {
    if (field === 1 && type === WireType.LengthDelimited) piece.piece = reader.string()
    else if (field === 2 && type === WireType.Bit32) piece.score = reader.float()
    else if (field === 3 && type === WireType.Varint) piece.type = pieceTypes[reader.int32()] ?? ''
    else return false
    return true
  })
  return piece
}

interface Normalizer {
  charsmap: Uint8Array
  dummyPrefix: boolean
  removeSpaces: boolean
  escapeSpaces: boolean
}

function readNormalizer(bytes: Uint8Array): Normalizer {
  const normalizer: Normalizer = {
    charsmap: new Uint8Array(),
    dummyPrefix: true,
    removeSpaces: true,
    escapeSpaces: true,
  }
  readFields(bytes, (field, reader, type) => {
    if (field === 2 && type === WireType.LengthDelimited) normalizer.charsmap = reader.bytes()
    else if (field === 3 && type === WireType.Varint) normalizer.dummyPrefix = reader.bool()
    else if (field === 4 && type === WireType.Varint) normalizer.removeSpaces = reader.bool()
    else if (field === 5 && type === WireType.Varint) normalizer.escapeSpaces = reader.bool()
    else return false
    return true
  })
  return normalizer
}

interface Trainer {
  modelType: number
  /** Whether the mark of a space ends a word. */
  spaceAsSuffix: boolean
}

function readTrainer(bytes: Uint8Array): Trainer {
  const trainer: Trainer = { modelType: 1, spaceAsSuffix: false }
  readFields(bytes, (field, reader, type) => {
    if (field === 3 && type === WireType.Varint) trainer.modelType = reader.int32()
    else if (field === 24 && type === WireType.Varint) trainer.spaceAsSuffix = reader.bool()
    else return false
    return true
  })
  return trainer
}

/** A BPE or unigram model. Throws a FormatError (naming `name`) for other kinds, for bytes as pieces, and for damaged files. */
export function readSentencePiece(bytes: Uint8Array, name = 'SentencePiece model'): SentencePieceModel {
  const pieces: Piece[] = []
  let trainer = readTrainer(new Uint8Array())
  let normalizer = readNormalizer(new Uint8Array())
  try {
    readFields(bytes, (field, reader, type) => {
      if (type !== WireType.LengthDelimited) return false
      if (field === 1) pieces.push(readPiece(reader.bytes()))
      else if (field === 3) normalizer = readNormalizer(reader.bytes())
      else if (field === 2) trainer = readTrainer(reader.bytes())
      else return false
      return true
    })
  } catch (error) {
    throw new FormatError(`${name}: must be a SentencePiece model, found damaged fields`, { cause: error })
  }
  const kind = modelTypes[trainer.modelType]
  if (!kind) throw new FormatError(`${name}: must be a BPE or unigram model, found kind ${trainer.modelType}`)
  if (trainer.spaceAsSuffix || !normalizer.escapeSpaces) {
    throw new FormatError(`${name}: must write a space as ▁ in front of a word, as SentencePiece does by default`)
  }
  if (!normalizer.dummyPrefix || !normalizer.removeSpaces) {
    throw new FormatError(
      `${name}: must put a space in front and take extra spaces away, as SentencePiece does by default`,
    )
  }
  const strange = pieces.find(({ type }) => type === 'byte' || type === 'user_defined' || type === '')
  if (strange) {
    throw new FormatError(
      `${name}: pieces must be text, control or unknown, found "${strange.piece}" of type ${strange.type}`,
    )
  }
  return {
    kind,
    pieces: pieces.map(({ piece }) => piece),
    scores: pieces.map(({ score }) => score),
    types: pieces.map(({ type }) => type),
    ...(normalizer.charsmap.length > 0 && { charsmap: normalizer.charsmap }),
  }
}
