import { createSocket } from 'node:dgram'
import { isIP } from 'node:net'
import { makeQuestion, readResponse } from './dns-message.js'
import type { AddressType, Answer, NameServer } from './name-server.js'
import { TcpServer } from './tcp-server.js'

/** A datagram that is lost is sent again after this. */
const RESEND_MS = 1_000

/**
 * Asks by UDP, each question from a port of its own, and again by TCP where the answer does not fit (RFC 1035 §4.2). Datagrams of
 * others, and answers to what was not asked, are passed over.
 */
export class UdpServer implements NameServer {
  readonly label: string
  readonly #host: string
  readonly #port: number
  readonly #tcp: TcpServer

  constructor(label: string, host: string, port: number) {
    this.label = label
    this.#host = host
    this.#port = port
    this.#tcp = new TcpServer(label, host, port)
  }

  async query(name: string, type: AddressType, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#ask(name, type, signal)
    return answer === 'truncated' ? this.#tcp.query(name, type, signal) : answer
  }

  #ask(name: string, type: AddressType, signal: AbortSignal): Promise<Answer | 'truncated'> {
    const question = makeQuestion(name, type)
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const socket = createSocket(isIP(this.#host) === 6 ? 'udp6' : 'udp4')
      let again: NodeJS.Timeout | undefined
      const leave = (): void => {
        clearInterval(again)
        signal.removeEventListener('abort', onAbort)
        socket.removeAllListeners().on('error', () => {}).close()
      }
      const fail = (error: unknown): void => {
        leave()
        reject(error)
      }
      const onAbort = (): void => fail(signal.reason)
      const send = (): void => socket.send(question.packet)
      signal.addEventListener('abort', onAbort)
      socket.on('error', fail).on('message', (bytes) => {
        try {
          const response = readResponse(bytes, question)
          if (response === 'not ours') return
          leave()
          resolve(response)
        } catch (error) {
          fail(error)
        }
      })
      // A connected socket takes datagrams of that server only, and is told when nobody listens there.
      socket.once('connect', () => {
        send()
        again = setInterval(send, RESEND_MS)
      }).connect(this.#port, this.#host)
    })
  }
}
