/** Python values as the pickle reader builds them. */

/** A Python value as far as checkpoints need it. Sets are lists. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleObject
  | PickleUnbuilt

export class PickleTuple {
  readonly items: readonly PickleValue[]
  constructor(items: readonly PickleValue[]) {
    this.items = items
  }
}

export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>()
}

/** An object whose attributes are its data: BUILD sets them, as the items of a dict. */
export class PickleAttributes extends PickleDict {}

/** A reference to a function or class: `torch.FloatStorage`. */
export class PickleGlobal {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** What the resolver made: opaque to the reader. */
export class PickleObject {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}

/** An object of a class, or the result of a function, that the format does not know: never built, only named. */
export class PickleUnbuilt {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** The items of a tuple or list. */
export function sequence(value: PickleTuple | PickleValue[]): readonly PickleValue[] {
  return value instanceof PickleTuple ? value.items : value
}

/** A number that is a whole one and exact, of whichever kind; undefined if the value is none. */
export function wholeNumber(value: PickleValue | undefined): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}
