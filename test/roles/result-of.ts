import type { Progressive } from '../../src/roles/services.ts'

/** The result of a long call, whatever it tells meanwhile. */
export async function resultOf<R>(work: Progressive<unknown, R>): Promise<R> {
  for (;;) {
    const step = await work.next()
    if (step.done === true) return step.value
  }
}
