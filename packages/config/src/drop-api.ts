import { isObject, objectsOf, type Loose, type Rewriting } from './rewriting.js'

/**
 * Takes out the section of v2ray's API and what only that uses: rules that lead to its tag, and the inbounds (dokodemo-door) that
 * only such rules name. A rule that also names another inbound stays for the check, for without it sessions would go elsewhere.
 */
export function dropApi(rewriting: Rewriting, root: Loose): void {
  const { api, routing, inbounds, outbounds } = root
  rewriting.ignore(root, 'api', [], 'gRPC is not served; the section "control" answers over HTTP')
  const tag = isObject(api) ? api['tag'] : undefined
  if (typeof tag !== 'string' || objectsOf(outbounds).some(([, outbound]) => outbound['tag'] === tag)) return
  const rules = isObject(routing) ? objectsOf(routing['rules']).filter(([, rule]) => rule['outboundTag'] === tag) : []
  const named = new Set(rules.flatMap(([, rule]) => tagsOf(rule['inboundTag'])))
  const doors = objectsOf(inbounds).filter(([, inbound]) => inbound['protocol'] === 'dokodemo-door' && named.has(String(inbound['tag'])))
  drop(rewriting, root, 'inbounds', doors.map(([index]) => index), 'only the API uses it')
  const left = new Set(objectsOf(root['inbounds']).map(([, inbound]) => inbound['tag']))
  const idle = rules.filter(([, rule]) => {
    const tags = tagsOf(rule['inboundTag'])
    return tags.length > 0 && !tags.some((name) => left.has(name))
  })
  if (isObject(routing)) drop(rewriting, routing, 'rules', idle.map(([index]) => index), 'it leads to the API', ['routing'])
}

/** Takes entries out of a list and says why. */
export function drop(
  rewriting: Rewriting, object: Loose, key: string, indices: readonly number[], reason: string, at: readonly string[] = [],
): void {
  if (indices.length === 0) return
  for (const index of indices) rewriting.say([...at, key, index], `is ignored: ${reason}`, 'warning')
  object[key] = (object[key] as unknown[]).filter((_, index) => !indices.includes(index))
}

function tagsOf(list: unknown): string[] {
  const parts: unknown[] = typeof list === 'string' ? list.split(',') : Array.isArray(list) ? list : []
  return parts.map((part) => String(part).trim()).filter((part) => part !== '')
}
