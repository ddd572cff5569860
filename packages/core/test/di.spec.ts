import 'reflect-metadata'
import { container } from 'tsyringe'
import { describe, expect, it } from 'vitest'
import { needsOf, Scope } from '../src/di.js'
import { createToken, describeToken, inject, injectable } from '../src/index.js'

const NAME = createToken<string>('Name', '@test/names')
const SIZE = createToken<number>('Size', '@test/sizes')

@injectable()
class Thing {
  readonly name: string
  readonly size: number

  constructor(@inject(NAME) name: string, @inject(SIZE) size: number) {
    this.name = name
    this.size = size
  }
}

describe('createToken()', () => {
  it('means the same in two copies of a package, and says who provides it', () => {
    expect(createToken<string>('Name', '@test/names')).toBe(NAME)
    expect(createToken<string>('Name', '@other/names')).not.toBe(NAME)
    expect(describeToken(NAME)).toBe('Name of @test/names')
  })

  it('is typed by what it stands for', () => {
    const scope = new Scope()
    scope.provide(SIZE, 5)
    const size: number = scope.get(SIZE)
    // @ts-expect-error the token stands for a number
    const wrong: string = scope.get(SIZE)
    // @ts-expect-error and takes none but a number
    expect(() => scope.provide(NAME, 5)).not.toThrow()
    expect(wrong).toBe(size)
  })
})

describe('needsOf()', () => {
  it('reads what a class asks for, and nothing of a class that asks for nothing', () => {
    expect(needsOf(Thing)).toEqual(expect.arrayContaining([NAME, SIZE]))
    expect(needsOf(Thing)).toHaveLength(2)
    expect(needsOf(class {})).toEqual([])
  })
})

describe('Scope', () => {
  it('constructs a class from its values and those of its parent', () => {
    const parent = new Scope()
    const child = new Scope(parent)
    parent.provide(NAME, 'n')
    child.provide(SIZE, 3)
    expect(child.construct(Thing)).toMatchObject({ name: 'n', size: 3 })
    expect([child.has(NAME), parent.has(SIZE)]).toEqual([true, false])
  })

  it('hides a value of its parent by its own', () => {
    const parent = new Scope()
    const child = new Scope(parent)
    parent.provide(NAME, 'outer')
    child.provide(NAME, 'inner')
    expect([parent.get(NAME), child.get(NAME)]).toEqual(['outer', 'inner'])
  })

  it('refuses to register a token twice', () => {
    const scope = new Scope()
    scope.provide(NAME, 'a')
    expect(() => scope.provide(NAME, 'b')).toThrow('Cannot register Name of @test/names twice')
    expect(scope.get(NAME)).toBe('a')
  })

  it('says what is missing, and that a module is to be registered for it', () => {
    expect(() => new Scope().get(NAME)).toThrow('Cannot find Name of @test/names: register the module that provides it')
  })

  it('shares nothing with another scope, nor with the container of tsyringe', () => {
    const [one, other] = [new Scope(), new Scope()]
    one.provide(NAME, 'one')
    expect([other.has(NAME), container.isRegistered(NAME)]).toEqual([false, false])
    container.register(SIZE, { useValue: 7 })
    expect(one.has(SIZE)).toBe(false)
    expect(() => one.get(SIZE)).toThrow('Cannot find Size')
    container.clearInstances()
    container.reset()
  })

  it('refuses a class with a parameter that asks for nothing', () => {
    @injectable()
    class Half {
      constructor(@inject(NAME) readonly name: string, readonly size: number) {}
    }
    const scope = new Scope()
    scope.provide(NAME, 'n')
    expect(() => scope.construct(Half as never)).toThrow(new TypeError('Cannot construct Half: each parameter of its constructor needs @inject(TOKEN)'))
  })

  it('passes on as it is what a constructor throws', () => {
    const boom = new Error('boom')
    @injectable()
    class Broken {
      constructor() {
        throw boom
      }
    }
    expect(() => new Scope().construct(Broken)).toThrow(boom)
  })
})
