/** The services that an audit can ask. Keys come from the environment, and stand in no file and no report. */
import { z } from 'zod'
import { UsageError } from '../../../util/errors.ts'
import type { Service } from './http.ts'

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>

function required(environment: Environment, name: string, service: string, what = 'a key'): string {
  const value = environment[name]
  if (!value) throw new UsageError(`${service} needs ${what} in the environment variable ${name}, found none`)
  return value
}

/** "zh-cn" as services without regions write it. */
const plain = (code: string): string => code.split('-')[0] ?? code

const services = {
  libretranslate: (environment: Environment, url: string): Service => {
    const key = environment.LIBRETRANSLATE_API_KEY
    if (url === '')
      throw new UsageError('LibreTranslate needs the address of a server, found none', {
        hint: '--set url=http://localhost:5000',
      })
    const body: Service['body'] = (q, { source, target }) => {
      return { q, source: plain(source), target: plain(target), format: 'text', ...(key && { api_key: key }) }
    }
    return {
      name: 'LibreTranslate',
      url: `${url.replace(/\/$/, '')}/translate`,
      headers: {},
      most: 50,
      body,
      answer: z.object({ translatedText: z.array(z.string()) }).transform(({ translatedText }) => translatedText),
      several: {
        body: (q, direction, n) => ({ ...(body(q, direction) as object), alternatives: n - 1 }),
        answer: z
          .object({ translatedText: z.array(z.string()), alternatives: z.array(z.array(z.string())) })
          .transform(({ translatedText, alternatives }) =>
            translatedText.map((best, i) => [best, ...(alternatives[i] ?? [])]),
          ),
      },
    }
  },
  deepl: (environment: Environment, url: string): Service => {
    const key = required(environment, 'DEEPL_AUTH_KEY', 'DeepL')
    return {
      name: 'DeepL',
      // Keys of free accounts end so, and belong to another address.
      url: `${url || (key.endsWith(':fx') ? 'https://api-free.deepl.com' : 'https://api.deepl.com')}/v2/translate`,
      headers: { authorization: `DeepL-Auth-Key ${key}` },
      most: 50,
      body: (text, { source, target }) => {
        const to = target === 'en' ? 'EN-US' : plain(target).toUpperCase()
        return { text, source_lang: plain(source).toUpperCase(), target_lang: to }
      },
      answer: z
        .object({ translations: z.array(z.object({ text: z.string() })) })
        .transform(({ translations }) => translations.map(({ text }) => text)),
    }
  },
  'google-v2': (environment: Environment, url: string): Service => ({
    name: 'Google (v2)',
    url: `${url || 'https://translation.googleapis.com'}/language/translate/v2`,
    headers: { 'x-goog-api-key': required(environment, 'GOOGLE_API_KEY', 'Google (v2)') },
    most: 128,
    // Its usual format is HTML, whose escaped apostrophes would hide "she's".
    body: (q, { source, target }) => ({ q, source, target, format: 'text' }),
    answer: z
      .object({ data: z.object({ translations: z.array(z.object({ translatedText: z.string() })) }) })
      .transform(({ data }) => data.translations.map(({ translatedText }) => translatedText)),
  }),
  'google-v3': (environment: Environment, url: string): Service => {
    const project = required(environment, 'GOOGLE_CLOUD_PROJECT', 'Google (v3)', 'the name of a project')
    return {
      name: 'Google (v3)',
      url: `${url || 'https://translation.googleapis.com'}/v3/projects/${project}/locations/global:translateText`,
      headers: { authorization: `Bearer ${required(environment, 'GOOGLE_ACCESS_TOKEN', 'Google (v3)')}` },
      most: 1024,
      body: (contents, { source, target }) => {
        return { contents, sourceLanguageCode: source, targetLanguageCode: target, mimeType: 'text/plain' }
      },
      answer: z
        .object({ translations: z.array(z.object({ translatedText: z.string() })) })
        .transform(({ translations }) => translations.map(({ translatedText }) => translatedText)),
    }
  },
} satisfies Readonly<Record<string, (environment: Environment, url: string) => Service>>

/** Whether it can be asked at all: without http:// there would be nobody to wait for. */
function isAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}

/**
 * A service by its name in the settings; `url` replaces its usual address. Throws a UsageError where a key is missing, or `url` is no
 * address.
 */
export function serviceOf(name: keyof typeof services, url: string, environment: Environment = process.env): Service {
  if (url !== '' && !isAddress(url))
    throw new UsageError(`url must be an address that begins with http:// or https://, found "${url}"`, {
      hint: '--set url=http://localhost:5000',
    })
  return services[name](environment, url)
}
