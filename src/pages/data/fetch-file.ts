import { TenfoldError } from '../../util/errors.ts'

/** A file of the site's folder `data`, unpacked where its name ends in `.gz`. For workers, which lie in a page's folder. */
export async function fetchFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const address = new URL(`../data/${name}`, globalThis.location.href)
  const response = await fetch(address).catch(() => undefined)
  if (!response?.ok || !response.body) {
    throw new TenfoldError(`the file data/${name} of this site could not be read`, {
      hint: 'it must be served with the folders beside it',
    })
  }
  const body = name.endsWith('.gz') ? response.body.pipeThrough(new DecompressionStream('gzip')) : response.body
  return new Uint8Array(await new Response(body).arrayBuffer())
}
