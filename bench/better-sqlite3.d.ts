declare module 'better-sqlite3' {
  type Statement = {
    run(...values: unknown[]): unknown
    iterate(...values: unknown[]): IterableIterator<unknown>
    all(...values: unknown[]): unknown[]
  }
  export default class Database {
    constructor(path: string)
    pragma(text: string): unknown
    exec(text: string): void
    prepare(text: string): Statement
    transaction<A extends unknown[]>(run: (...values: A) => void): (...values: A) => void
    close(): void
  }
}
