/** Cyclic redundancy checks (32 bits, reflected), as used in zip archives and event files. */

function table(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? polynomial ^ (crc >>> 1) : crc >>> 1
    return crc
  })
}

function remainder(bytes: Uint8Array, polynomials: Uint32Array): number {
  let crc = 0xffffffff
  // Not `for ... of`: over a typed array that is five times slower, and checkpoints have hundreds of megabytes.
  for (let i = 0; i < bytes.length; i++) crc = (polynomials[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const zipTable = table(0xedb88320)
const castagnoliTable = table(0x82f63b78)

/** CRC-32 (IEEE 802.3), the one of zip and PNG. */
export function crc32(bytes: Uint8Array): number {
  return remainder(bytes, zipTable)
}

/** CRC-32C (Castagnoli), the one of TFRecord files. */
export function crc32c(bytes: Uint8Array): number {
  return remainder(bytes, castagnoliTable)
}
