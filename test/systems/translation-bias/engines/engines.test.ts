import { appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { TranslationCache } from '../../../../src/systems/translation-bias/engines/cache.ts'
import { commandEngine } from '../../../../src/systems/translation-bias/engines/command.ts'
import type { Engine } from '../../../../src/systems/translation-bias/engines/engine.ts'
import { fileEngine } from '../../../../src/systems/translation-bias/engines/file.ts'
import { httpEngine } from '../../../../src/systems/translation-bias/engines/http.ts'
import { serviceOf } from '../../../../src/systems/translation-bias/engines/services.ts'

const direction = { source: 'hu', target: 'en' }
const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'tenfold-engine-'))
/** A command of this machine's Node. */
const node = (code: string): string => `"${process.execPath}" -e "${code}"`

describe('commands', () => {
  const options = { batch: 10, timeout: 30 }
  const echo = "process.stdin.on('data', (text) => process.stdout.write(String(text).toUpperCase()))"

  test('a line for a line; the codes of the languages are put in', async () => {
    expect(await commandEngine(node(echo), options).translate(['ő szép', 'ő okos'], direction)).toEqual([
      'Ő SZÉP',
      'Ő OKOS',
    ])
    const codes = commandEngine(`${node('console.log(process.argv[1])')} {source}-{target}`, options)
    expect(await codes.translate(['a'], direction)).toEqual(['hu-en'])
  })

  test.skipIf(process.platform === 'win32')('a command may open its input by name, as apertium does', async () => {
    expect(await commandEngine('cat /dev/stdin', options).translate(['ő szép', 'ő okos'], direction)).toEqual([
      'ő szép',
      'ő okos',
    ])
  })

  test('no command, too few lines, a failure, no answer in time', async () => {
    expect(() => commandEngine(' ', options)).toThrow('the engine "command" needs a command, found none')
    await expect(commandEngine(node("console.log('one')"), options).translate(['a', 'b'], direction)).rejects.toThrow(
      'the command of the engine must write a line for each of 2 lines, found 1',
    )
    const latin = node('process.stdout.write(Buffer.from([0x63, 0xe9, 0x0a]))')
    await expect(commandEngine(latin, options).translate(['a'], direction)).rejects.toThrow(
      'the output of the command: must be UTF-8, found byte 0xe9 at 1',
    )
    const failing = node("console.error('no such pair'); process.exitCode = 3")
    await expect(commandEngine(failing, options).translate(['a'], direction)).rejects.toThrow(
      'the command of the engine ended with exit code 3: no such pair',
    )
    const slow = node('setTimeout(() => {}, 60000)')
    await expect(commandEngine(slow, { batch: 1, timeout: 0.2 }).translate(['a'], direction)).rejects.toThrow(
      `the command of the engine did not answer within 0.2 s: ${slow}`,
    )
  })
})

describe('files of translations', () => {
  test('a text is found however its letters are composed, and has one translation', async () => {
    const path = join(await folder(), 'twice.tsv')
    await writeFile(path, ` ${'ő szép'.normalize('NFD')}\tshe\nő szép\tshe\n`)
    expect(await (await fileEngine(path)).translate(['ő szép'], direction)).toEqual(['she'])
    await writeFile(path, 'ő szép\tshe\nő okos\the\nő szép\the\n')
    await expect(fileEngine(path)).rejects.toThrow('line 3 translates "ő szép" otherwise than line 1')
  })

  test('are read with or without a header', async () => {
    const path = join(await folder(), 'own.tsv')
    await writeFile(path, 'source\ttranslation\nő szép\tshe is beautiful\n')
    const engine = await fileEngine(path)
    expect(await engine.translate(['ő szép'], direction)).toEqual(['she is beautiful'])
    await expect(engine.translate(['ő okos', 'ő kész'], direction)).rejects.toThrow(
      `${path} has no translation of "ő okos" and 1 more`,
    )
  })

  test('no file, none given, a line that is none', async () => {
    const path = join(await folder(), 'own.tsv')
    await expect(fileEngine(path)).rejects.toThrow(`${path}: no such file`)
    await expect(fileEngine('')).rejects.toThrow('the engine "file" needs a file, found none')
    await writeFile(path, 'no tab\n')
    await expect(fileEngine(path)).rejects.toThrow(`${path}: line 1 must be "source TAB translation", found "no tab"`)
    await writeFile(path, '\0'.repeat(500))
    await expect(fileEngine(path)).rejects.toThrow(`${path}: must be UTF-8, found byte 0x00 at 0`)
  })
})

describe('the cache', () => {
  function counting(fails = Number.POSITIVE_INFINITY): Engine & { asked: string[] } {
    const asked: string[] = []
    return {
      asked,
      identity: 'counting',
      batch: 2,
      translate: async (texts) => {
        if (asked.length >= fails) throw new Error('killed')
        asked.push(...texts)
        return texts.map((text) => text.toUpperCase())
      },
    }
  }

  test('asks nothing twice, and loses nothing when a job ends before its time', async () => {
    const path = join(await folder(), 'translations.jsonl')
    const first = counting(2)
    await expect((await TranslationCache.open(path)).translate(first, direction, ['a', 'b', 'a', 'c'])).rejects.toThrow(
      'killed',
    )
    expect(first.asked).toEqual(['a', 'b'])
    // The machine was switched off in the middle of a line.
    await appendFile(path, '{"engine":"counting","sou')
    const second = counting()
    const found = await (await TranslationCache.open(path)).translate(second, direction, ['a', 'b', 'a', 'c'])
    expect(found.map(({ translation }) => translation)).toEqual(['A', 'B', 'A', 'C'])
    expect(second.asked).toEqual(['c'])
    const again = await TranslationCache.open(path)
    expect(again.get(second, direction, 'c')?.translation).toBe('C')
    expect(again.get({ ...second, identity: 'another' }, direction, 'c')).toBeUndefined()
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(5)
  })
})

test('a cache that is there and cannot be read is not taken for an empty one', async () => {
  const path = await folder()
  await expect(TranslationCache.open(path)).rejects.toThrow(`${path}: cannot be read (EISDIR)`)
})

describe('services', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  /** A server that gives these answers, one after the other; what it was asked is kept. */
  async function serving(...answers: ((response: ServerResponse, body: string) => void)[]) {
    const asked: { path: string; headers: IncomingMessage['headers']; body: string }[] = []
    server = createServer((message, response) => {
      let body = ''
      message.on('data', (piece) => {
        body += String(piece)
      })
      message.on('end', () => {
        const answer = answers[Math.min(asked.length, answers.length - 1)]
        asked.push({ path: message.url ?? '', headers: message.headers, body })
        answer?.(response, body)
      })
    })
    const running = server
    await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve))
    return { asked, url: `http://127.0.0.1:${(running.address() as AddressInfo).port}` }
  }

  const fails =
    (status: number, headers: Readonly<Record<string, string>> = {}) =>
    (response: ServerResponse): void => {
      response.writeHead(status, headers).end('busy')
    }
  const says =
    (json: unknown) =>
    (response: ServerResponse): void => {
      response.end(typeof json === 'string' ? json : JSON.stringify(json))
    }
  const options = { batch: 10, timeout: 5, retries: 3, pause: 0.01 }
  const libre = (url: string, more: Partial<typeof options> = {}): Engine =>
    httpEngine(serviceOf('libretranslate', url, {}), { ...options, ...more })

  test('LibreTranslate: trouble that passes is waited for', async () => {
    const { asked, url } = await serving(
      fails(500),
      fails(429, { 'retry-after': '0' }),
      says({ translatedText: ['she'] }),
    )
    expect(await libre(url).translate(['ta'], { source: 'zh-cn', target: 'en' })).toEqual(['she'])
    expect(asked).toHaveLength(3)
    expect(JSON.parse(asked[2]?.body ?? '')).toEqual({ q: ['ta'], source: 'zh', target: 'en', format: 'text' })
  })

  test('trouble that does not pass ends in a line', async () => {
    const { asked, url } = await serving(fails(503))
    await expect(libre(url).translate(['a'], direction)).rejects.toThrow(
      'LibreTranslate answered 503 (busy), after 4 tries',
    )
    expect(asked).toHaveLength(4)
  })

  test('what is wrong with the question is not asked again', async () => {
    const { asked, url } = await serving(fails(400))
    await expect(libre(url).translate(['a'], direction)).rejects.toThrow('LibreTranslate answered 400 (busy)')
    expect(asked).toHaveLength(1)
  })

  test('a slow server', async () => {
    const { url } = await serving(() => {})
    await expect(libre(url, { timeout: 0.05, retries: 0 }).translate(['a'], direction)).rejects.toThrow(
      'LibreTranslate did not answer within 0.05 s, after 1 tries',
    )
    server?.closeAllConnections()
  })

  test('a server that is not there', async () => {
    await expect(libre('http://127.0.0.1:1', { retries: 0 }).translate(['a'], direction)).rejects.toThrow(
      /^LibreTranslate cannot be reached \(.*\), after 1 tries$/,
    )
  })

  test('a request to stop ends a pause with its own reason', async () => {
    const { url } = await serving(fails(500))
    const controller = new AbortController()
    const asking = libre(url, { pause: 30 }).translate(['a'], direction, controller.signal)
    const reason = new Error('interrupted')
    setTimeout(() => controller.abort(reason), 50)
    await expect(asking).rejects.toBe(reason)
  })

  test.each([
    ['<html>', 'LibreTranslate must answer with JSON, found "<html>"'],
    [
      { text: 'she' },
      'LibreTranslate gave a malformed answer: translatedText: Invalid input: expected array, received undefined',
    ],
    [{ translatedText: ['a', 'b'] }, 'LibreTranslate must answer 1 texts, found 2 translations'],
  ])('a malformed answer: %j', async (answer, message) => {
    const { url } = await serving(says(answer))
    await expect(libre(url).translate(['a'], direction)).rejects.toThrow(message)
  })

  test('DeepL and Google ask as their interfaces say, with their keys in headers', async () => {
    const translations = [{ text: 'he', translatedText: 'he' }]
    const { asked, url } = await serving(says({ translations, data: { translations } }))
    const keys = { DEEPL_AUTH_KEY: 'k:fx', GOOGLE_API_KEY: 'g', GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_ACCESS_TOKEN: 't' }
    for (const name of ['deepl', 'google-v2', 'google-v3'] as const) {
      const engine = httpEngine(serviceOf(name, url, keys), options)
      expect(await engine.translate(['ő'], direction)).toEqual(['he'])
      expect(engine.identity).not.toContain('k:fx')
    }
    expect(asked.map(({ path }) => path)).toEqual([
      '/v2/translate',
      '/language/translate/v2',
      '/v3/projects/p/locations/global:translateText',
    ])
    expect(asked.map(({ body }) => JSON.parse(body))).toEqual([
      { text: ['ő'], source_lang: 'HU', target_lang: 'EN-US' },
      { q: ['ő'], source: 'hu', target: 'en', format: 'text' },
      { contents: ['ő'], sourceLanguageCode: 'hu', targetLanguageCode: 'en', mimeType: 'text/plain' },
    ])
    expect(asked[0]?.headers.authorization).toBe('DeepL-Auth-Key k:fx')
    expect(asked[1]?.headers['x-goog-api-key']).toBe('g')
    expect(asked[2]?.headers.authorization).toBe('Bearer t')
    expect(serviceOf('deepl', '', keys).url).toBe('https://api-free.deepl.com/v2/translate')
  })

  test('a key or an address that is missing', () => {
    expect(() => serviceOf('deepl', '', {})).toThrow(
      'DeepL needs a key in the environment variable DEEPL_AUTH_KEY, found none',
    )
    expect(() => serviceOf('libretranslate', '', {})).toThrow(
      'LibreTranslate needs the address of a server, found none',
    )
    for (const url of ['server', 'localhost:5000', 'ftp://server']) {
      expect(() => serviceOf('libretranslate', url, {})).toThrow(
        `url must be an address that begins with http:// or https://, found "${url}"`,
      )
    }
  })
})
