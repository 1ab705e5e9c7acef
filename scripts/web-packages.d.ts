/** See web-packages.js, which runs without a compiler. */
export function webPackages(): string
export const chromiumPath: string
