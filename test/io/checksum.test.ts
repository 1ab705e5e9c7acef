import { expect, test } from 'vitest'
import { crc32, crc32c } from '../../src/io/checksum.ts'
import { bytesOfText } from './samples.ts'

// The catalogue of parametrised CRC algorithms gives these check values for the text 123456789.
test('the check values of both polynomials', () => {
  expect(crc32(bytesOfText('123456789'))).toBe(0xcbf43926)
  expect(crc32c(bytesOfText('123456789'))).toBe(0xe3069283)
  expect([crc32(new Uint8Array()), crc32c(new Uint8Array())]).toEqual([0, 0])
})
