/** A network endpoint by address. `host` is an IP literal without brackets, or a domain name; `port` is 0 to 65535. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/**
 * Where something is to be reached: a session's target, or the server that a dialer dials.
 *
 * A domain name is kept as the client sent it. Nobody resolves it on the way: the upstream proxy does, or the dialer that
 * opens a socket to it.
 */
export interface Destination extends Endpoint {
  readonly network: 'tcp' | 'udp'
}
