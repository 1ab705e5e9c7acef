import { expect, test } from 'vitest'
import { Access, newToken } from '../../src/studio/server/access.ts'

const token = newToken()
const access = new Access(token, 4321)
const own = { host: '127.0.0.1:4321', cookie: access.setCookie.split(';')[0] ?? '' }
const check = (headers: Record<string, string>, method = 'GET') => access.check({ method, headers })?.status

test('a token has 256 random bits, is in the address, and its cookie is for this server only', () => {
  expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  expect(newToken()).not.toBe(token)
  expect(access.url).toBe(`http://127.0.0.1:4321/?token=${token}`)
  expect(access.setCookie).toBe(`tenfold-studio-4321=${token}; HttpOnly; SameSite=Strict; Path=/`)
})

test.each([
  ['the cookie', own, undefined],
  ['the cookie among others', { ...own, cookie: `a=b; ${own.cookie}; c=d` }, undefined],
  ['localhost', { ...own, host: 'localhost:4321' }, undefined],
  ['the token as a header', { host: own.host, authorization: `Bearer ${token}` }, undefined],
  ['an address that was typed', { ...own, 'sec-fetch-site': 'none' }, undefined],
  ['nothing', { host: own.host }, 401],
  ['a wrong token', { ...own, cookie: 'tenfold-studio-4321=guess' }, 401],
  ['the cookie of another port', { ...own, cookie: own.cookie.replace('4321', '4322') }, 401],
  ['a wrong header', { host: own.host, authorization: 'Bearer guess' }, 401],
  ['a name that leads here (DNS rebinding)', { ...own, host: 'evil.example:4321' }, 421],
  ['another port in Host', { ...own, host: '127.0.0.1:80' }, 421],
  ['no Host', { cookie: own.cookie }, 421],
  ['another site', { ...own, origin: 'http://evil.example' }, 403],
  ['another server of this machine', { ...own, origin: 'http://127.0.0.1:4322' }, 403],
  ['a picture on another site', { ...own, 'sec-fetch-site': 'cross-site' }, 403],
  ['a page of another port', { ...own, 'sec-fetch-site': 'same-site' }, 403],
])('reading with %s', (_, headers: Record<string, string>, status) => {
  expect(check(headers)).toBe(status)
})

test.each([
  ['the studio', { ...own, origin: 'http://127.0.0.1:4321' }, undefined],
  ['the studio as localhost', { ...own, host: 'localhost:4321', origin: 'http://localhost:4321' }, undefined],
  ['a program with the token', { host: own.host, authorization: `Bearer ${token}` }, undefined],
  ['nobody knows where', own, 403],
  ['a sandboxed page', { ...own, origin: 'null' }, 403],
  ['another site', { ...own, origin: 'https://evil.example' }, 403],
  [
    'another site with the token',
    { host: own.host, authorization: `Bearer ${token}`, origin: 'https://evil.example' },
    403,
  ],
  ['the same name with TLS', { ...own, origin: 'https://127.0.0.1:4321' }, 403],
  ['a form that was opened', { ...own, origin: 'http://127.0.0.1:4321', 'sec-fetch-site': 'none' }, 403],
])('posting from %s', (_, headers: Record<string, string>, status) => {
  expect(check(headers, 'POST')).toBe(status)
})

test('a link with the token may come from anywhere, to this machine', () => {
  const headers = { host: own.host, 'sec-fetch-site': 'cross-site' }
  expect(access.checkEntry({ method: 'GET', headers })).toBeUndefined()
  expect(access.checkEntry({ method: 'GET', headers: { host: 'evil.example:4321' } })).toMatchObject({ status: 421 })
  expect([access.isToken(token), access.isToken(''), access.isToken(null)]).toEqual([true, false, false])
})
