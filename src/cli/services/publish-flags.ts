import { Flags } from '@oclif/core'

/** What all commands take that publish. */
export const publishFlags = {
  tag: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'A label, for searches with tag:WORD. Repeat it for several.',
    helpValue: 'WORD',
  }),
  hidden: Flags.boolean({ default: false, summary: 'Take hidden files and folders (their names begin with a dot), too.' }),
  hybrid: Flags.boolean({
    default: false,
    summary: 'Make a torrent of versions 1 and 2 at once (BEP 52), for programs that know either.',
  }),
}
