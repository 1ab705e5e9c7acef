/** Any error that tenfold reports in one line: what must hold, what was found, and (as `hint`) what to do. */
export class TenfoldError extends Error {
  override readonly name: string = 'TenfoldError'
  readonly hint: string | undefined

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.hint = options.hint
  }
}

/** An error in one line, with its hint. */
export function errorLine({ message, hint }: TenfoldError): string {
  return `${message}${hint ? ` (${hint})` : ''}`.replaceAll('\n', ' ')
}

/** An error of the same kind in other words, caused by the given one. */
export function reworded(error: TenfoldError, message: string, hint = error.hint): TenfoldError {
  // A subclass takes the same arguments.
  const Kind = error.constructor as typeof TenfoldError
  return new Kind(message, { ...(hint !== undefined && { hint }), cause: error })
}

/** A mistake in how tenfold is used: an unknown recipe, option, key, name, or a value of the wrong type. Exit code 2. */
export class UsageError extends TenfoldError {
  override readonly name = 'UsageError'
}

/** Operands whose shapes, dtypes or arguments do not fit an operation. */
export class ShapeError extends TenfoldError {
  override readonly name = 'ShapeError'
}

/** An index or label outside of its range. */
export class IndexError extends TenfoldError {
  override readonly name = 'IndexError'
}

/** A file or byte string that violates its format. */
export class FormatError extends TenfoldError {
  override readonly name = 'FormatError'
}

/** A package that is needed is not installed; the message names it. */
export class MissingPackageError extends TenfoldError {
  override readonly name = 'MissingPackageError'
}

/** Data that a recipe needs and that is not on this machine; the hint is the command that fetches it. */
export class MissingDataError extends TenfoldError {
  override readonly name = 'MissingDataError'
}

/** Data that could not be fetched, or that are not the expected ones. */
export class DataError extends TenfoldError {
  override readonly name = 'DataError'
}

/** A matrix without the property that a function needs: it is singular, not positive definite, or not finite. */
export class LinalgError extends TenfoldError {
  override readonly name = 'LinalgError'
}
