/**
 * A callback of the library that a timer, a microtask or nobody calls: what it throws, at once or in the promise it
 * returns, comes to `onFailure` instead of ending the process.
 */
export function held<Args extends readonly unknown[]>(
  run: (...args: Args) => unknown,
  onFailure: (reason: string, args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    const failed = (error: unknown) => onFailure(error instanceof Error ? error.message : String(error), args)
    try {
      const result = run(...args)
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
