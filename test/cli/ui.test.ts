import { expect, test, vi } from 'vitest'
import { workingLine } from '../../src/cli/ui.ts'
import { StatusLine } from '../../src/train/progress.ts'

test('what is being worked on is drawn each second on a terminal, and cleared', () => {
  vi.useFakeTimers()
  try {
    let out = ''
    const working = workingLine(new StatusLine({ write: (text) => (out += text), isTTY: true }))
    working('members/mixer-seed0')
    vi.advanceTimersByTime(2000)
    const clear = '\r\x1b[2K'
    const line = (time: string) => `${clear}working on members/mixer-seed0  ${time}`
    expect(out).toBe(line('0:00') + line('0:01') + line('0:02'))
    working(undefined)
    vi.advanceTimersByTime(2000)
    expect(out).toBe(line('0:00') + line('0:01') + line('0:02') + clear)
    let file = ''
    workingLine(new StatusLine({ write: (text) => (file += text) }))('part')
    vi.advanceTimersByTime(2000)
    expect(file).toBe('')
  } finally {
    vi.useRealTimers()
  }
})
