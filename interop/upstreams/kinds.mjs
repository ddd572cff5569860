import { apache } from './apache.mjs'
import { haproxy } from './haproxy.mjs'
import { nghttpx } from './nghttpx.mjs'
import { squid } from './squid.mjs'
import { tinyproxy } from './tinyproxy.mjs'

/**
 * Every kind of upstream.
 *
 * `tools`: the programs it needs.
 *
 * `upstreams`: its ports, by name, with what is known of them. `tls`, `basic`; `http2`: that, and nothing else, is used when both are
 * offered; `fewStreams`: it answers fewer tunnels in one connection than it says; `losesHalfClose`, with the reason; `canFail`,
 * `canTakeOver`, `canFallSilent`: there it is stopped and killed, replaced while it runs, held.
 *
 * `start(lane)` resolves to an object by name with `port` and, where cells need it, `requests()`: how many requests its log holds
 * (squid: refused ones); `connects()`: the CONNECTs of its log; `front`: the program itself; `other`: another server, by its port.
 */
export const KINDS = [squid, apache, tinyproxy, haproxy, nghttpx]
