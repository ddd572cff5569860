import { Registry } from 'prom-client'

/** What is answered to a request. */
export interface ControlAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export function json(value: unknown, status = 200): ControlAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, text: `${JSON.stringify(value)}\n` }
}

/** @param error For people. */
export function failure(status: number, error: string, headers: Readonly<Record<string, string>> = {}): ControlAnswer {
  const answer = json({ error }, status)
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

/** Metrics in Prometheus' text format 0.0.4. */
export function metrics(text: string): ControlAnswer {
  return { status: 200, headers: { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }, text }
}
