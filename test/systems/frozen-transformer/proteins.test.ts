import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { OpenedProteins } from '../../../src/systems/frozen-transformer/proteins/data.ts'
import {
  encodeProtein,
  evolveFamilies,
  headerField,
  parseFasta,
} from '../../../src/systems/frozen-transformer/proteins/fasta.ts'
import { proteinRecipe } from '../../../src/systems/frozen-transformer/proteins/recipe.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { configFrom } from '../../../src/train/settings.ts'
import { FormatError } from '../../../src/util/errors.ts'
import { Generator } from '../../../src/util/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-proteins-'))

async function open(settings: Record<string, unknown>) {
  const given = Object.entries(settings).map(([path, value]) => ({ path, value }))
  const config = configFrom(proteinRecipe.config, given)
  const data = (await proteinRecipe.open(config, {})) as OpenedProteins
  return { config, data }
}

test('FASTA: records over several lines, fields of headers, errors with the line', () => {
  const text = '>sp|A Genome OS=Dengue virus 3 GN=opuBA PE=4\nMNN\nqrk*\n\n>B\nAC\n'
  expect(parseFasta(text, 'x')).toEqual([
    { header: 'sp|A Genome OS=Dengue virus 3 GN=opuBA PE=4', sequence: 'MNNQRK' },
    { header: 'B', sequence: 'AC' },
  ])
  expect(headerField('A OS=Dengue virus 3 GN=opuBA PE=4', 'OS')).toBe('Dengue virus 3')
  expect(headerField('A GN=x', 'OS')).toBeUndefined()
  expect(() => parseFasta('ACD', 'x.fasta')).toThrow(
    new FormatError('x.fasta: line 1 must be a header that begins with ">", found "ACD"', {
      hint: 'a FASTA file has a line ">NAME ..." before each sequence',
    }),
  )
  expect(() => parseFasta('>a\nAC1', 'x.fasta')).toThrow('line 2 must be letters of amino acids, found "AC1"')
  expect(encodeProtein('AZy?')).toEqual([5, 29, 28, 4])
})

test('families descend from an ancestor each', () => {
  const sizes = { families: 2, members: 3, length: 40, substitution: 0.25, indel: 0 }
  const proteins = evolveFamilies(sizes, new Generator(1))
  expect(proteins).toEqual(evolveFamilies(sizes, new Generator(1)))
  const shared = (a = '', b = ''): number => [...a].filter((letter, i) => letter === b[i]).length
  expect(shared(proteins[0]?.sequence, proteins[1]?.sequence)).toBeGreaterThan(15)
  expect(shared(proteins[0]?.sequence, proteins[3]?.sequence)).toBeLessThan(10)
  expect(proteins[5]?.header).toBe('generated OS=member 2 GN=family1')
  const lengths = evolveFamilies({ ...sizes, indel: 0.2 }, new Generator(1)).map(({ sequence }) => sequence.length)
  expect(new Set(lengths).size).toBeGreaterThan(1)
})

test('a file of ones own: organisms are on one side, small families are left out', async () => {
  const proteins = Array.from({ length: 40 }, (_, i) => {
    const family = i < 4 ? 'rare' : i % 2 ? 'LacZ' : 'recA'
    const sequence = `ACDEFG${'ACDEFGHIKL'[i % 10]}${'MNPQ'[Math.floor(i / 10)]}`
    return `>p${i} OS=Genus${i % 10} species strain ${i} GN=${family} PE=1\n${sequence}\n`
  })
  const file = join(folder, 'own.fasta.gz')
  writeFileSync(file, gzipSync(proteins.join('')))
  const { data } = await open({ 'data.fasta': file, 'data.min_members': 5, 'data.test_share': 0.3 })
  expect(data.facts.labels).toEqual(['lacz', 'reca'])
  expect(data.train.length + data.test.length).toBe(36)
  expect(data.opening.summary).toContain('left out')
  const { input_ids } = await data.test.batch([0], { epoch: 0, seed: 0 })
  expect(toNumbers(input_ids.data)[0]).toBe(2) // the sequence begins
  await expect(open({ 'data.fasta': file, 'data.label_field': 'XX' })).rejects.toThrow('at least two families')
})

test('generated families are recognised', async () => {
  const { config, data } = await open({
    'data.fasta': 'generated',
    'data.families': 3,
    'data.members': 30,
    'data.length': 12,
    'data.substitution': 0.1,
    'data.indel': 0,
    'data.max_seq_length': 16,
    'model.embedding_size': 32,
    'model.n_layer': 1,
    'model.n_head': 2,
    'model.initializer_range': 0.1,
    'model.dropout': 0,
    'model.body_dropout': 0,
    'optimizer.lr': 0.02,
    'train.batch_size': 16,
  })
  const experiment = proteinRecipe.build(config, data.facts, { seed: 0 })
  const { task } = experiment.prepare(data)
  for (let epoch = 0; epoch < 10; epoch++) for await (const batch of task.loader) await task.step(batch)
  const { accuracy = 0, majority_accuracy = 0 } = await experiment.evaluate(data)
  expect(accuracy).toBeGreaterThan(majority_accuracy + 0.2)
})
