/** Errors of importing. */
import { TenfoldError } from '../../util/errors.ts'

export { FormatError } from '../../util/errors.ts'

/** The model uses something that is not supported: an operator, an attribute, a type of element. */
export class UnsupportedError extends TenfoldError {}
