import { connect } from 'node:net'
import { makeQuestion, readResponse } from './dns-message.js'
import type { AddressType, Answer, NameServer } from './name-server.js'

/** Asks by TCP, one question per connection (RFC 1035 §4.2.2). */
export class TcpServer implements NameServer {
  readonly label: string
  readonly #host: string
  readonly #port: number

  constructor(label: string, host: string, port: number) {
    this.label = label
    this.#host = host
    this.#port = port
  }

  query(name: string, type: AddressType, signal: AbortSignal): Promise<Answer> {
    const question = makeQuestion(name, type)
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const socket = connect(this.#port, this.#host)
      let seen = Buffer.alloc(0)
      const leave = (): void => {
        signal.removeEventListener('abort', onAbort)
        socket.destroy()
      }
      const fail = (error: unknown): void => {
        leave()
        reject(error)
      }
      const onAbort = (): void => fail(signal.reason)
      signal.addEventListener('abort', onAbort)
      socket.on('error', fail).on('close', () => fail(new Error('closed the connection without an answer')))
      // At most the 65,537 bytes of one message are kept, whatever else is sent.
      socket.on('data', (chunk) => {
        seen = Buffer.concat([seen, chunk])
        if (seen.length < 2 || seen.length < 2 + seen.readUInt16BE(0)) return
        try {
          const response = readResponse(seen.subarray(2, 2 + seen.readUInt16BE(0)), question)
          if (typeof response === 'string') throw new Error('answered another question')
          leave()
          resolve(response)
        } catch (error) {
          fail(error)
        }
      })
      const length = Buffer.alloc(2)
      length.writeUInt16BE(question.packet.length)
      socket.write(Buffer.concat([length, question.packet]))
    })
  }
}
