import { describe, expect, it } from 'vitest'
import { TlsSessionCache } from '../src/tls-session-cache.js'

describe('TlsSessionCache', () => {
  it('keeps the last session of each server', () => {
    const cache = new TlsSessionCache()
    cache.set('a:1', Buffer.from('one'))
    cache.set('a:1', Buffer.from('two'))
    expect([cache.get('a:1')?.toString(), cache.get('b:1')]).toEqual(['two', undefined])
    cache.delete('a:1')
    expect(cache.get('a:1')).toBeUndefined()
  })

  it('forgets the oldest of more than 256', () => {
    const cache = new TlsSessionCache()
    for (let port = 1; port <= 256; port += 1) cache.set(`a:${port}`, Buffer.from(String(port)))
    cache.set('a:1', Buffer.from('again'))
    cache.set('a:257', Buffer.from('257'))
    expect([1, 2, 3, 257].map((port) => cache.get(`a:${port}`)?.toString())).toEqual(['again', undefined, '3', '257'])
  })
})
