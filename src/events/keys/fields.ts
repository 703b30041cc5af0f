import { FieldReader } from '../codec/field-reader.ts'
import type { Millis } from '../model/ids.ts'
import { CredentialError } from './credential-error.ts'

/** Reads the records that strangers hand over. What it throws is a CredentialError `malformed`. */
export const fields = new FieldReader((sentence, options) => new CredentialError('malformed', sentence, options))

/** Text for people, of at most so many UTF-8 bytes and without control characters. @throws CredentialError `malformed` */
export function printable(value: string | null | undefined, bytesMax: number, what: string): string {
  const text = fields.text(value, bytesMax, what)
  fields.demand(!/\p{Cc}/u.test(text), `${what} has control characters`)
  return text
}

/** @throws CredentialError `malformed` */
export const timeOf = (value: number | null | undefined): Millis => fields.count(value, 'a time') as Millis
