/** What a runner tells the node it works for. None of it loses anything: the log has every event. */
export type RunnerNotice =
  /** The stored rows cannot be used, the state is folded from the log again. */
  | { readonly what: 'rebuilding'; readonly projection: string; readonly reason: RebuildReason; readonly error?: unknown }
  /** Rows could not be stored (a full disk, say); the same rows are stored with the next checkpoint. */
  | { readonly what: 'commit-failed'; readonly projection: string; readonly error: unknown }
  /** A bug: a fold threw at this event, which was passed over. */
  | { readonly what: 'fold-failed'; readonly projection: string; readonly seq: number; readonly error: unknown }
  /** A bug: a listener threw. */
  | { readonly what: 'listener-failed'; readonly projection: string; readonly error: unknown }

/** `beyond-log`: the rows have seen events that the log lost, as after a power cut. */
export type RebuildReason = 'missing' | 'version' | 'beyond-log' | 'damaged'
