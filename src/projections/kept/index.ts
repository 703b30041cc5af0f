// kept: how much of every other author this node's log has taken, as budgets count it.
export * from './kept.ts'
