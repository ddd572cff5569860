import { isObject } from './rewriting.js'

/** Takes out what Go programs take for absent: keys that are `null`; and keys that are comments by custom (`//…`). */
export function dropUnset(value: unknown): void {
  if (Array.isArray(value)) value.forEach(dropUnset)
  if (!isObject(value)) return
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null || key.startsWith('//')) Reflect.deleteProperty(value, key)
    else dropUnset(inner)
  }
}

const REMARK = /^(_|#|comment|remarks?$|\$schema$)/i

/** Takes out the keys in which people and graphical clients keep remarks, and where editors look for a schema. */
export function dropRemarks(value: object): void {
  for (const key of Object.keys(value)) if (REMARK.test(key) && key !== '__proto__') Reflect.deleteProperty(value, key)
}
