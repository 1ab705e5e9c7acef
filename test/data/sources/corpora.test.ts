import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readBrown, readMail } from '../../../src/data/sources/corpora.ts'
import { withFolder } from '../support.ts'

test('the Brown corpus is read as plain sentences with their genre', () =>
  withFolder(async (folder) => {
    await writeFile(
      join(folder, 'cn02'),
      "\n\tThe/at ``/`` old/jj ship/nn ''/'' ,/, (/( she/pps said/vbd )/) ?/. ?/.\n",
    )
    await writeFile(join(folder, 'ca01'), 'It/pps rained/vbd ./.\nThen/rb not/* ./.\n')
    await writeFile(join(folder, 'README'), 'no article')
    expect(await readBrown(folder)).toEqual([
      { name: 'ca01', text: 'It rained.\nThen not.', label: 'news' },
      { name: 'cn02', text: 'The "old ship", (she said)?', label: 'adventure' },
    ])
  }))

test('of a message subject and visible words are kept; equal messages count once', () =>
  withFolder(async (folder) => {
    const message = (group: string, id: string, text: string) => JSON.stringify({ id, group, text })
    await mkdir(join(folder, 'spam-1'))
    await mkdir(join(folder, 'easy-ham-1'))
    const spam = 'X-Spam: yes\nSubject: Free =?\nTo: a@b.c\n\n<style>p{}</style><p>Win=\nner&nbsp;<b>now</b></p>'
    await writeFile(join(folder, 'spam-1', '1.json'), message('spam-1', '1', spam))
    await writeFile(join(folder, 'spam-1', '2.json'), message('spam-1', '2', spam))
    await writeFile(join(folder, 'easy-ham-1', '1.json'), message('easy-ham-1', '1', 'no headers'))
    expect(await readMail(folder)).toEqual([
      { name: 'easy-ham-1/1', text: '', label: 'ham' },
      { name: 'spam-1/1', text: 'Free =?\n\n\n Winner now', label: 'spam' },
    ])
  }))
