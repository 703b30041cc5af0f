/** What one download came to. */
export type DownloadRun = {
  /** From the command, or the dial, to the last verified piece. */
  readonly ms: number
  /** The same to the first one. */
  readonly firstMs: number
  /** Processor seconds while it ran. */
  readonly leecherCpu: number
  readonly seederCpu: number
  /** Of the leecher at its largest, above what it had before. */
  readonly memoryBytes: number
}
