/** Chromium, driven by playwright-core. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromiumPath } from '../../../scripts/web-packages.js'
import { packages } from './site.ts'

/** Playwright as far as it is used; the package has types of its own, but is not among the dependencies. */
export interface Tab {
  goto(url: string): Promise<unknown>
  evaluate<T>(program: string): Promise<T>
  waitForFunction(program: string): Promise<unknown>
  on(event: 'pageerror', listener: (error: Error) => void): void
  on(event: 'console', listener: (message: { text(): string }) => void): void
  close(): Promise<void>
}

export interface Browser {
  newPage(): Promise<Tab>
  newBrowserCDPSession(): Promise<{ send(method: string): Promise<unknown> }>
  close(): Promise<void>
}

interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: readonly string[] }): Promise<Browser>
  }
}

/** Starts Chromium: /usr/bin/chromium, or what CHROMIUM names. With WebGPU as software, which needs no graphics card. */
export function launch(): Promise<Browser> {
  const { chromium } = createRequire(join(packages, 'package.json'))('playwright-core') as Playwright
  // gc(): what a test measures of memory must not depend on when V8 collects.
  const args = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--js-flags=--expose-gc']
  return chromium.launch({ executablePath: chromiumPath, args })
}

/** Opens a page of which `window.page` is the interface. Errors of its script are thrown at the next call. */
export async function openPage(browser: Browser, url: string): Promise<{ call: PageCall; tab: Tab }> {
  const tab = await browser.newPage()
  const errors: string[] = []
  tab.on('pageerror', (error) => errors.push(error.message))
  await tab.goto(url)
  await tab.waitForFunction('window.page')
  const call: PageCall = async (name, ...args) => {
    const result = await tab.evaluate(`window.page.${name}(${args.map((each) => JSON.stringify(each)).join(', ')})`)
    if (errors.length > 0) throw new Error(`in the page: ${errors.join('; ')}`)
    return result as never
  }
  return { call, tab }
}

/** Calls a function of `window.page`. */
export type PageCall = <T>(name: string, ...args: readonly unknown[]) => Promise<T>
