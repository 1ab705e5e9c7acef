import { ctr } from '@noble/ciphers/aes.js'

/**
 * The first `length` bytes of the AES-128-CTR key stream: block i is AES_key(counter + i), the 16-byte counter read big-endian.
 * The caller owns the result; it starts at byte offset 0 of a multiple of 4, so it can be viewed as 32-bit words.
 */
export type Keystream = (key: Uint8Array, counter: Uint8Array, length: number) => Uint8Array<ArrayBuffer>

// A key stream is the encryption of zeros. Nothing writes to them, so all calls share one buffer.
let zeros = new Uint8Array(1 << 16)

function zeroBytes(length: number): Uint8Array<ArrayBuffer> {
  if (zeros.length < length) zeros = new Uint8Array(length)
  return zeros.subarray(0, length)
}

function wordAligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteOffset % 4 === 0
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : Uint8Array.from(bytes)
}

/** Pure JavaScript, for browsers and old Node (about 70 MB/s). */
export const portableKeystream: Keystream = (key, counter, length) =>
  wordAligned(ctr(key, counter).encrypt(zeroBytes(length)))

/**
 * The platform's cipher (about 2 GB/s); undefined where there is none. Asked for through `process.getBuiltinModule` (Node 20.16
 * and later), not by an import, so that a bundle for browsers has no trace of `node:crypto`.
 */
export const nativeKeystream: Keystream | undefined = (() => {
  const crypto = globalThis.process?.getBuiltinModule?.('node:crypto')
  if (crypto === undefined) return undefined
  return (key, counter, length) =>
    wordAligned(crypto.createCipheriv('aes-128-ctr', key, counter).update(zeroBytes(length)))
})()

/** The fastest key stream here; all give the same bytes. */
export const keystream: Keystream = nativeKeystream ?? portableKeystream
