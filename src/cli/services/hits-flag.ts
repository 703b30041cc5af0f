import { Flags } from '@oclif/core'
import { HITS_DEFAULT, HITS_MAX } from '../../roles/index.ts'

/** `--limit` of the commands that search. */
export const hitsFlag = Flags.integer({
  min: 1,
  max: HITS_MAX,
  default: HITS_DEFAULT,
  summary: `Hits at most, up to ${HITS_MAX}.`,
  helpValue: 'N',
})
