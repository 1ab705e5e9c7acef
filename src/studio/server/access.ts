/**
 * Who may talk to the studio: a page that was opened with the token, and nothing else that runs in a browser on this machine. Trainings
 * can read any folder and jobs can run commands, so whoever may post here may do what the user may.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Why a request is refused: an HTTP status and a line. */
export interface Denial {
  readonly status: 401 | 403 | 421
  readonly error: string
}

/** What a request says of itself. */
export type AccessRequest = Pick<IncomingMessage, 'method' | 'headers'>

/** 256 random bits. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const cut = pair.indexOf('=')
    if (cut > 0 && pair.slice(0, cut).trim() === name) return pair.slice(cut + 1).trim()
  }
  return undefined
}

const misaddressed: Denial = { status: 421, error: 'the studio answers to 127.0.0.1 and localhost only' }

/** The rules for one server. */
export class Access {
  readonly #token: string
  readonly #port: number

  constructor(token: string, port: number) {
    this.#token = token
    this.#port = port
  }

  /** Cookies are shared by all ports of a host: the name tells studios apart. */
  get #cookie(): string {
    return `tenfold-studio-${this.#port}`
  }

  /** The address that opens the studio. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#token}`
  }

  /** What a browser that came with the token is given; scripts cannot read it, and other sites cannot send it. */
  get setCookie(): string {
    return `${this.#cookie}=${this.#token}; HttpOnly; SameSite=Strict; Path=/`
  }

  isToken(text: string | null): boolean {
    return text !== null && sameText(text, this.#token)
  }

  /** Whether the request is for this server by a name that no other machine can have: any other name could be pointed here. */
  #isAddressed(host: string | undefined): boolean {
    return host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`
  }

  /** Checks a request that has the token in its address: a link from anywhere may open the studio. */
  checkEntry({ headers: { host } }: AccessRequest): Denial | undefined {
    return this.#isAddressed(host) ? undefined : misaddressed
  }

  /** Checks where a request comes from, whatever it knows. */
  #checkOrigin({ method, headers }: AccessRequest): Denial | undefined {
    if (!this.#isAddressed(headers.host)) return misaddressed
    const { origin } = headers
    const site = headers['sec-fetch-site']
    const isForeign = origin !== undefined && origin !== `http://${headers.host}`
    const isReading = method === 'GET' || method === 'HEAD'
    // `none`: the user has opened the address.
    const isElsewhere = site !== undefined && site !== 'same-origin' && !(isReading && site === 'none')
    return isForeign || isElsewhere ? { status: 403, error: 'another site may not use the studio' } : undefined
  }

  /** Checks that a request may be answered: it comes from here, and it knows the token. */
  check(request: AccessRequest): Denial | undefined {
    const foreign = this.#checkOrigin(request)
    if (foreign) return foreign
    const { method, headers } = request
    const [, bearer] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? []
    if (bearer !== undefined && this.isToken(bearer)) return undefined
    const cookie = cookieOf(headers.cookie, this.#cookie)
    if (cookie === undefined || !this.isToken(cookie))
      return { status: 401, error: 'open the address that `tenfold studio` has printed: it has the token' }
    // A cookie goes along by itself: what changes something must also say where it comes from.
    if (method !== 'GET' && method !== 'HEAD' && headers.origin === undefined)
      return { status: 403, error: 'a request that changes something must have an Origin' }
    return undefined
  }
}
