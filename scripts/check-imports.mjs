/** Imports go down only: core, then its siblings, then inbounds and outbounds, then the product. */
import { builtinModules } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { findCircle } from './find-circle.mjs'
import { importsOf } from './imports-of.mjs'
import { finish, fromRoot, packages, read, sourcesOf } from './tree.mjs'

const LAYERS = { core: 0, policy: 1, stats: 1, control: 1, router: 1, config: 1, dns: 1, transport: 1, testkit: 1, sluice: 3 }
const NOT_IN_CORE = new Set(['net', 'tls', 'http', 'http2', 'https', 'dns', 'dns/promises', 'dgram'])
const DI_ONLY = new Set(['tsyringe', 'reflect-metadata'])
const DI_FILE = join('packages', 'core', 'src', 'di.ts')
const TESTKIT_MAY = new Set(['@sluice/core', '@peculiar/x509'])

const layerOf = (name) => LAYERS[name] ?? (/^(?:in|out)bound-/.test(name) ? 2 : undefined)
const nameOf = (module) => module.split('/').slice(0, module.startsWith('@') ? 2 : 1).join('/')

const all = packages()
const byManifestName = new Map(all.map((pkg) => [pkg.manifest.name, pkg]))
const faults = []
let count = 0

/** What is wrong with one bare import, as the end of a sentence; undefined if nothing is. */
function faultOfBare(pkg, file, module) {
  const name = nameOf(module)
  const builtin = name.startsWith('node:') ? module.slice('node:'.length) : undefined
  if (builtin !== undefined) {
    return pkg.name === 'core' && NOT_IN_CORE.has(builtin) ? 'core knows no sockets and no names' : undefined
  }
  if (builtinModules.includes(name)) return 'write the node: prefix'
  if (DI_ONLY.has(name)) return fromRoot(file) === DI_FILE ? undefined : `only ${DI_FILE} may import it`
  if (pkg.name === 'testkit' && !TESTKIT_MAY.has(name)) return 'the testkit may import core, Node and @peculiar/x509 only'
  const other = byManifestName.get(name)
  if (other !== undefined && other !== pkg) {
    if (other.name === 'testkit') return 'the testkit is for tests'
    const [from, to] = [layerOf(pkg.name), layerOf(other.name)]
    if (!(to < from)) return `layer ${from} (${pkg.name}) may not import layer ${to} (${other.name})`
  }
  const { dependencies = {}, peerDependencies = {} } = pkg.manifest
  if (other !== pkg && !(name in dependencies) && !(name in peerDependencies)) return `${pkg.name}/package.json does not declare it`
  return undefined
}

for (const pkg of all) {
  if (layerOf(pkg.name) === undefined) faults.push(`packages/${pkg.name}: scripts/check-imports.mjs knows no layer for this name`)
  const inside = join(pkg.folder, 'src') + sep
  const graph = new Map()
  for (const file of sourcesOf(pkg)) {
    const edges = new Set()
    graph.set(file, edges)
    for (const { module, line } of importsOf(read(file))) {
      count += 1
      let fault
      if (module.startsWith('.')) {
        const to = resolve(dirname(file), module).replace(/\.js$/, '.ts')
        if (to.startsWith(inside)) edges.add(to)
        else fault = 'a relative import stays inside its package'
      } else fault = faultOfBare(pkg, file, module)
      if (fault !== undefined) faults.push(`${fromRoot(file)}:${line}: '${module}': ${fault}`)
    }
  }
  const circle = findCircle(graph)
  if (circle !== undefined) faults.push(`packages/${pkg.name}: circular import: ${circle.map(fromRoot).join(' -> ')}`)
}

finish(faults, `${count} imports in ${all.length} packages go down only`)
