import { build } from './cli/program.ts'

/** Before the files run side by side: two of them must not build at once. */
export function mochaGlobalSetup(): void {
  build()
}
