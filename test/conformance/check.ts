/** What every runtime must do is a list of these: in checks.ts, and in kernels.ts. */

/** A promise that a runtime keeps. */
export interface Check {
  readonly name: string
  readonly run: () => Promise<readonly number[]>
  /** Why a graphics processor does not keep it. */
  readonly notOnGpu?: string
}
