import { afterEach, expect, test, vi } from 'vitest'
import { connectMpi, mpiLaunch } from '../../../src/train/distributed/mpi.ts'
import { UsageError } from '../../../src/util/errors.ts'

afterEach(() => void vi.unstubAllEnvs())

test('without Open MPI it says what to install', async () => {
  vi.stubEnv('OMPI_COMM_WORLD_RANK', '0')
  const error: unknown = await connectMpi({ libraries: ['libmpi-that-is-nowhere.so'] }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(UsageError)
  expect(error).toMatchObject({
    message: expect.stringMatching(/^Open MPI's library cannot be loaded: .*libmpi-that-is-nowhere.so.*$/),
    hint: 'install Open MPI, for example: apt-get install openmpi-bin',
  })
})

test('a process knows from mpirun which one it is, and how many are on its machine', () => {
  expect(mpiLaunch({})).toBeUndefined()
  expect(mpiLaunch({ OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_LOCAL_SIZE: '2' })).toEqual({ rank: 3, local: 2 })
})
