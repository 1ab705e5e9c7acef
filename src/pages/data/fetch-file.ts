import { TenfoldError } from '../../util/errors.ts'

/** What the worker has fetched: a page that starts over may have lost the network. */
const fetched = new Map<string, Uint8Array<ArrayBuffer>>()

/** A file of the site's folder `data`, unpacked where its name ends in `.gz`; fetched once. For workers, which lie in a page's folder. */
export async function fetchFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = fetched.get(name) ?? (await fetchBytes(name))
  fetched.set(name, bytes)
  return bytes
}

async function fetchBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const address = new URL(`../data/${name}`, globalThis.location.href)
  const response = await fetch(address).catch(() => undefined)
  if (!response?.ok || !response.body) {
    throw new TenfoldError(`the file data/${name} of this site could not be read`, {
      hint: response ? 'it must be served with the folders beside it' : 'is the network there?',
    })
  }
  const body = name.endsWith('.gz') ? response.body.pipeThrough(new DecompressionStream('gzip')) : response.body
  return new Uint8Array(await new Response(body).arrayBuffer())
}
