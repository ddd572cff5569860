import { apache } from './apache.mjs'
import { squid } from './squid.mjs'
import { tinyproxy } from './tinyproxy.mjs'

/**
 * Every kind of upstream. `tools`: the programs it needs. `upstreams`: its ports, by name, with what is known of them: `tls`, `basic`,
 * and `losesHalfClose` with the reason. `start(lane)` resolves to an object by name with `port` and, where the cells of a wrong password
 * need it, `requests()`: how many requests its log holds (squid: refused ones).
 */
export const KINDS = [squid, apache, tinyproxy]
