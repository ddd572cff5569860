import 'reflect-metadata'
import { container, inject as tsyringeInject, injectable as tsyringeInjectable, type DependencyContainer } from 'tsyringe'

declare const TYPE: unique symbol

/** Names a value of type `T` in a container. Two copies of a package that name it alike mean the same. */
export type Token<T> = symbol & { readonly [TYPE]?: T }

/** A class whose constructor takes injected values only. */
export type Injectable<T> = new (...values: never[]) => T

/** Gives the value of a token, or throws naming what is missing. */
export type Resolve = <T>(token: Token<T>) => T

const PREFIX = '@sluice/'

/**
 * Makes a typed token.
 * @param name What it stands for, as `PolicyManager`.
 * @param provider The package whose module registers it, told to whoever forgot that module.
 */
export function createToken<T>(name: string, provider: string): Token<T> {
  return Symbol.for(`${PREFIX}${name} of ${provider}`) as Token<T>
}

/** `PolicyManager of @sluice/policy` */
export function describeToken(token: Token<unknown>): string {
  return (token.description ?? String(token)).replace(PREFIX, '')
}

/** Marks a class whose constructor is injected. Each parameter must carry `@inject(TOKEN)`: no emitted metadata is read. */
export function injectable(): ClassDecorator {
  return tsyringeInjectable() as ClassDecorator
}

/** Marks a constructor parameter as the value of a token. */
export function inject<T>(token: Token<T>): ParameterDecorator {
  return tsyringeInject(token)
}

/** The tokens that a class asks for, read from its own injection metadata. */
export function needsOf(target: Injectable<unknown>): Token<unknown>[] {
  const byIndex = (Reflect.getOwnMetadata('injectionTokens', target) ?? {}) as Record<string, { readonly token: Token<unknown> }>
  return Object.values(byIndex).map(({ token }) => token)
}

/** One scope of injected values; a child sees its parent's. An instance has one, and each handler a child of it. */
export class Scope {
  readonly #container: DependencyContainer
  readonly #parent: Scope | undefined

  constructor(parent?: Scope) {
    this.#parent = parent
    this.#container = parent === undefined ? container.createChildContainer() : parent.#container.createChildContainer()
  }

  /** @throws {Error} if this scope has the token already: the last one would win silently. */
  provide<T>(token: Token<T>, value: T): void {
    if (this.#container.isRegistered(token)) throw new Error(`Cannot register ${describeToken(token)} twice`)
    this.#container.register(token, { useValue: value })
  }

  has(token: Token<unknown>): boolean {
    return this.#container.isRegistered(token) || this.#parent?.has(token) === true
  }

  readonly get: Resolve = <T>(token: Token<T>): T => {
    if (!this.has(token)) throw new Error(`Cannot find ${describeToken(token)}: register the module that provides it`)
    return this.#container.resolve<T>(token)
  }

  /**
   * Constructs a class from this scope's values.
   * @throws {TypeError} for a parameter without `@inject`, which would silently be `undefined`.
   */
  construct<T>(target: Injectable<T>): T {
    if (needsOf(target).length < target.length) {
      throw new TypeError(`Cannot construct ${target.name}: each parameter of its constructor needs @inject(TOKEN)`)
    }
    return this.#container.resolve<T>(target as unknown as new (...values: unknown[]) => T)
  }
}
