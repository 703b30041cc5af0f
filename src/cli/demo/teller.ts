import type { StoryEvent } from './story.ts'

const CLEAR_LINE = '\r\u001b[K'

/** Tells the story to a person: a line a step, its facts below it, and progress that replaces itself in a terminal. */
export function tellInTerminal(write: (text: string) => void, isTerminal: boolean): (event: StoryEvent) => void {
  let number = 0
  return (event) => {
    switch (event.type) {
      case 'begin':
        number += 1
        write(isTerminal ? `${CLEAR_LINE}   ${number}. ${event.title} ...` : `   ${number}. ${event.title} ...\n`)
        break
      case 'progress':
        if (isTerminal) write(`${CLEAR_LINE}   ${number}. ${event.text}`.slice(0, 120))
        break
      case 'end': {
        const seconds = (event.elapsedMs / 1000).toFixed(1).padStart(5)
        write(`${isTerminal ? CLEAR_LINE : ''}${event.ok ? 'ok' : 'NO'} ${number}. ${event.title} ${seconds} s\n`)
        for (const line of event.detail) write(`      ${line}\n`)
      }
    }
  }
}

/** Tells it to a program: one JSON object a finished step. */
export function tellInJson(write: (text: string) => void): (event: StoryEvent) => void {
  return (event) => {
    if (event.type !== 'end') return
    const { step, title, ok, elapsedMs, detail, facts } = event
    write(`${JSON.stringify({ step, title, ok, elapsedMs, detail, ...facts })}\n`)
  }
}
