import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const LEFT_OUT: ReadonlySet<string> = new Set(['.git', 'node_modules', 'coverage', '.tmp'])

/** A throw-away copy of the tree: nothing is ever mutated in the checkout. The packages are a link. */
export class WorkingCopy implements Disposable {
  readonly root: string

  constructor(source: string) {
    this.root = mkdtempSync(join(tmpdir(), 'p2pt-mutants-'))
    cpSync(source, this.root, { recursive: true, filter: (path) => path === source || !LEFT_OUT.has(basename(path)) })
    symlinkSync(join(source, 'node_modules'), join(this.root, 'node_modules'))
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
