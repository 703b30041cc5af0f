import { setTimeout } from 'node:timers/promises'

/** Waits until something real is so; throws, saying what it waited for, if that takes too long. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await setTimeout(20)
  }
}
