import { fault, type Fault } from '@sluice/core'
import { createScanner, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser'
import type { LineMap } from './line-map.js'

type ErrorName = ReturnType<typeof printParseErrorCode>

/** Far above any real config, and far below what overflows the stack of a parser that calls itself. */
export const MAX_DEPTH = 256

const QUOTES = 'names and texts stand in double quotes'
const ESCAPES = 'write \\\\ for a backslash'

const TEXTS: Readonly<Record<ErrorName, readonly [message: string, hint?: string]>> = {
  InvalidSymbol: ['unknown word', QUOTES],
  InvalidNumberFormat: ['not a number'],
  PropertyNameExpected: ['expected a name', QUOTES],
  ValueExpected: ['expected a value'],
  ColonExpected: ['expected a colon before this'],
  CommaExpected: ['expected a comma before this'],
  CloseBraceExpected: ['expected a closing "}"'],
  CloseBracketExpected: ['expected a closing "]"'],
  EndOfFileExpected: ['content behind the config'],
  InvalidCommentToken: ['unexpected comment'],
  UnexpectedEndOfComment: ['comment without an end'],
  UnexpectedEndOfString: ['text without an end on its line'],
  UnexpectedEndOfNumber: ['number without an end'],
  InvalidUnicode: ['unknown escape in a text', ESCAPES],
  InvalidEscapeCharacter: ['unknown escape in a text', ESCAPES],
  InvalidCharacter: ['control character in a text', 'write \\t for a tab'],
  '<unknown ParseErrorCode>': ['not JSON'],
}

const UNCLOSED = ['unexpected ":"', 'a list before it has no "]"'] as const

/**
 * The parser's errors in words, without a word of the text itself, which may be a secret. What the parser stumbles over
 * before the next comma is a consequence of the first error and not told.
 */
export function syntaxFaults(text: string, root: Node | undefined, errors: readonly ParseError[], lines: LineMap): Fault[] {
  const isEmpty = root === undefined && errors.every(({ error }) => printParseErrorCode(error) === 'ValueExpected')
  if (isEmpty) return [faultAt(0, ['is empty'], lines)]
  const end = root === undefined ? Number.POSITIVE_INFINITY : root.offset + root.length
  const faults: Fault[] = []
  let told: number | undefined
  let isListTold = false
  for (const { error, offset, length } of errors) {
    const name = printParseErrorCode(error)
    const isBehind = length > 0 && offset >= end && name !== 'UnexpectedEndOfComment'
    // A bracket that is left over is what a fault before has made of it.
    if (isBehind && faults.length > 0 && /[\]}]/.test(text.charAt(offset))) break
    const isUnclosed: boolean = text[offset] === ':' && (name === 'CommaExpected' || (name === 'ValueExpected' && isListTold))
    if (isUnclosed && !isListTold) faults.push(faultAt(offset, UNCLOSED, lines))
    isListTold ||= isUnclosed
    if (isUnclosed) continue
    const isConsequence = !isBehind && told !== undefined && !text.slice(told, offset).includes(',')
    told = Math.max(told ?? 0, offset + length)
    if (!isConsequence) faults.push(faultAt(offset, TEXTS[isBehind ? 'EndOfFileExpected' : name], lines))
    if (isBehind) break
  }
  return faults
}

/** A fault where objects and lists stand in each other more than {@link MAX_DEPTH} deep. */
export function depthFault(text: string, lines: LineMap): Fault | undefined {
  const scanner = createScanner(text, true)
  let depth = 0
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const character = text[scanner.getTokenOffset()]
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth > MAX_DEPTH) return faultAt(scanner.getTokenOffset(), [`more than ${MAX_DEPTH} levels deep`], lines)
  }
  return undefined
}

function faultAt(offset: number, [message, hint]: readonly [message: string, hint?: string], lines: LineMap): Fault {
  return { ...fault([], message, hint === undefined ? {} : { hint }), ...lines.positionAt(offset) }
}
