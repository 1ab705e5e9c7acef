// A communicator between worker threads, for tests of what several processes do together: each thread has tenfold to itself.
import { setImmediate } from 'node:timers/promises'

/** The communicator of one thread. All are given the same memory; `capacity`: bytes that one of them exchanges at once. */
export function threadCommunicator({ size, arrived, places, capacity }, rank) {
  const counters = new Int32Array(arrived)
  const placeOf = (other, bytes) => new Uint8Array(places, other * capacity, bytes)
  /** Waits until all threads are here. */
  const meet = async () => {
    const round = Atomics.load(counters, 1)
    if (Atomics.add(counters, 0, 1) === size - 1) {
      Atomics.store(counters, 0, 0)
      Atomics.add(counters, 1, 1)
      Atomics.notify(counters, 1)
      return
    }
    while (Atomics.load(counters, 1) === round) {
      Atomics.wait(counters, 1, round, 20)
      await setImmediate()
    }
  }
  return {
    rank,
    size,
    async sum(values) {
      placeOf(rank, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      await meet()
      const all = Array.from(
        { length: size },
        (_, other) => new Float32Array(placeOf(other, values.byteLength).slice().buffer),
      )
      for (const i of values.keys()) values[i] = all.reduce((sum, each) => sum + each[i], 0)
      await meet()
    },
    async broadcast(bytes) {
      if (rank === 0) placeOf(0, bytes.length).set(bytes)
      await meet()
      bytes.set(placeOf(0, bytes.length))
      await meet()
    },
    close: meet,
  }
}
