import fc from 'fast-check'

/** Text of any code points, lone surrogates included: fast-check's own unit for that takes seconds to set up. */
export const anyText = fc
  .array(fc.nat(0x10ffff), { maxLength: 30, size: 'max' })
  .map((points) => String.fromCodePoint(...points))
