import assert from 'node:assert/strict'
import { NOT_YET, PROGRAMS, ROWS, whyNot } from '../interop/matrix.ts'
import { DIRECTIONS, ENCRYPTIONS, type ProgramEncryption, WAYS, type Way } from '../interop/program.ts'
import { document, tableAfter } from './documents.ts'

describe('docs/interop.md', () => {
  const text = document('docs/interop.md')

  it('says of every program what is tried with it', () => {
    const cell = (way: Way, encryption: ProgramEncryption, program: (typeof PROGRAMS)[number]): string => {
      if (NOT_YET.has(way)) return 'not yet'
      const tried = DIRECTIONS.filter((direction) => program.cannot(direction, encryption, way) === undefined)
      return tried.length === DIRECTIONS.length ? 'both ways' : tried.length === 0 ? 'cannot' : `${tried[0]}`
    }
    const expected = WAYS.flatMap((way) =>
      ENCRYPTIONS.map((encryption) => [way, encryption, ...PROGRAMS.map((program) => cell(way, encryption, program))]),
    )
    assert.deepEqual(tableAfter(text, '## What is tried'), expected)
  })

  it('says why a program cannot do the rest', () => {
    const reasons = PROGRAMS.flatMap((program) => {
      const own = ROWS.filter(({ way }) => !NOT_YET.has(way)).map((row) => whyNot(program, row))
      return [...new Set(own)].filter((why) => why !== undefined).map((why) => [program.name, why])
    })
    assert.deepEqual(tableAfter(text, '## What a program cannot do').toSorted(), reasons.toSorted())
  })
})
