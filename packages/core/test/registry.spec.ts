import { describe, expect, it } from 'vitest'
import { createInstance, type Module } from '../src/index.js'
import { lineInbound, patientOutbound, scriptOutbound } from './memory-modules.js'
import { memoryTransport } from './memory-transport.js'

const build = (...modules: Module[]): unknown => createInstance({}, { modules })

describe('the modules of an instance', () => {
  it('must hold exactly one transport', () => {
    const message = /^Cannot build an instance with \d transport modules: give exactly one, as transport of @sluice\/transport$/
    expect(() => build()).toThrow(message)
    expect(() => build(lineInbound)).toThrow(TypeError)
    expect(() => build(memoryTransport().module, memoryTransport().module)).toThrow(message)
  })

  it('must not answer to one name twice', () => {
    const { module } = memoryTransport()
    expect(() => build(module, lineInbound, lineInbound)).toThrow(new TypeError('Cannot register inbound protocol "line" twice'))
    const outbound = scriptOutbound(patientOutbound)
    expect(() => build(module, outbound, outbound)).toThrow(new TypeError('Cannot register outbound protocol "script" twice'))
    const feature: Module = { kind: 'feature', section: 'a', schema: { type: 'object' }, create: () => ({}) }
    expect(() => build(module, feature, feature)).toThrow(new TypeError('Cannot register section "a" twice'))
  })

  it('may answer to one name as inbound, as outbound and as section', () => {
    const { module } = memoryTransport()
    const schema = { type: 'object' } as const
    expect(() => build(
      module,
      { kind: 'inbound', protocol: 'x', schema, authenticates: () => true, create: () => ({ handle: () => Promise.resolve() }) },
      { kind: 'outbound', protocol: 'x', schema, create: () => patientOutbound },
      { kind: 'feature', section: 'x', schema, create: () => ({}) },
    )).not.toThrow()
  })

  it('are not changed by an instance, so that several may have them', () => {
    const modules = [memoryTransport().module, lineInbound]
    const before = modules.map((module) => ({ ...module }))
    for (let round = 0; round < 3; round++) createInstance({ inbounds: [{ protocol: 'line', port: 0 }] }, { modules })
    expect(modules).toEqual(before)
  })
})
