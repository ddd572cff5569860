import { afterEach, describe, expect, it } from 'vitest'
import { createInstance, isConfigError, type Config } from '../src/index.js'
import { lineInbound, patientOutbound, scriptOutbound } from './memory-modules.js'
import { memoryTransport } from './memory-transport.js'

const BEFORE = Reflect.ownKeys(Object.prototype)
const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']

const build = (text: string): unknown =>
  createInstance(JSON.parse(text) as Config, { modules: [memoryTransport().module, lineInbound, scriptOutbound(patientOutbound)] })

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(BEFORE)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

describe('T10 a polluted config', () => {
  const value = '{ "polluted": 1, "allowOpen": true, "prototype": { "polluted": 1 } }'
  const places = (key: string): string[] => [
    `{ "${key}": ${value} }`,
    `{ "inbounds": [{ "protocol": "line", "port": 1, "${key}": ${value} }] }`,
    `{ "inbounds": [{ "protocol": "line", "port": 1, "settings": { "${key}": ${value} } }] }`,
    `{ "inbounds": [{ "protocol": "line", "port": 1, "streamSettings": { "${key}": ${value} } }] }`,
    `{ "outbounds": [{ "protocol": "script", "settings": { "${key}": ${value} } }] }`,
    `{ "outbounds": [{ "protocol": "script", "proxySettings": { "tag": "a", "${key}": ${value} } }, { "protocol": "script", "tag": "a" }] }`,
  ]

  it.each(KEYS.flatMap(places))('is refused for its unknown key, and pollutes nothing: %s', (text) => {
    let faults: readonly { path: string; message: string }[] = []
    try {
      build(text)
    } catch (error) {
      if (isConfigError(error)) faults = error.faults
    }
    expect(faults).toEqual([expect.objectContaining({ message: 'unknown key', path: expect.stringMatching(new RegExp(KEYS.join('|'))) })])
  })

  it.each(KEYS)('may use %s as a tag, a protocol or a user like any other word', (name) => {
    const instance = build(`{ "outbounds": [{ "protocol": "script", "tag": "${name}" }, { "protocol": "script", "tag": "b", "proxySettings": { "tag": "${name}" } }] }`)
    expect(instance).toBeDefined()
    expect(() => build(`{ "outbounds": [{ "protocol": "${name}" }] }`)).toThrow(`unknown protocol "${name}"`)
    expect(() => build(`{ "outbounds": [{ "protocol": "script", "proxySettings": { "tag": "${name}" } }] }`)).toThrow(`no outbound has the tag "${name}"`)
  })
})
