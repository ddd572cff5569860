/** What a stranger does with the tarballs: installs them into an empty folder, compiles against their types, and runs. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { readmeExample } from './readme-example.mjs'
import { run } from './run-command.mjs'
import { ROOT } from './tree.mjs'

const NODE_TYPES = '@types/node@^20.19.0'
const COMPILER_OPTIONS = {
  target: 'es2022', lib: ['es2023', 'esnext.disposable'], module: 'nodenext', types: ['node'], strict: true, skipLibCheck: false,
  noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, declaration: true,
}
const PAGE = 'a page from the other side'

/** Installs with npm, which is what a stranger has, and makes sure that everybody got the same core. */
export async function install(folder, tarballs) {
  for (const { path, file } of tarballs) cpSync(path, join(folder, file))
  const dependencies = Object.fromEntries(tarballs.map(({ name, file }) => [name, `file:./${file}`]))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module', dependencies }))
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', NODE_TYPES], { cwd: folder })
  await run('npm', ['ls', '--all'], { cwd: folder })
  const copies = copiesOfCore(join(folder, 'node_modules'))
  if (copies.length !== 1) throw new Error(`@sluice/core is installed ${copies.length} times:\n${copies.join('\n')}`)
}

function copiesOfCore(folder) {
  if (!existsSync(folder)) return []
  const installed = readdirSync(folder).flatMap((name) => name.startsWith('@') ? readdirSync(join(folder, name)).map((part) => `${name}/${part}`) : [name])
  return installed.flatMap((name) => [
    ...(name === '@sluice/core' ? [join(folder, name)] : []), ...copiesOfCore(join(folder, name, 'node_modules')),
  ])
}

/** Every entry point is imported, by its name. */
export async function importAll(folder, tarballs) {
  const lines = tarballs.map(({ name }) => `if (Object.keys(await import('${name}')).length === 0) throw new Error('${name} exports nothing')`)
  writeFileSync(join(folder, 'imports.js'), lines.join('\n'))
  await run(process.execPath, ['imports.js'], { cwd: folder, limitMs: 20_000 })
}

export async function runCommand(folder, version) {
  const printed = (await run(join(folder, 'node_modules', '.bin', 'sluice'), ['--version'], { cwd: folder, limitMs: 20_000 })).trim()
  if (printed !== version) throw new Error(`sluice --version printed ${JSON.stringify(printed)}, and the version is ${version}`)
}

/** The README's example, word for word but for the port of the proxy, which here is one of Node's own HTTP servers. */
export async function runExample(folder) {
  await compile(folder, 'readme', { 'example.ts': readmeExample() })
  const program = join(folder, 'readme', 'dist', 'example.js')
  const parts = readFileSync(program, 'utf8').split('3128')
  if (parts.length !== 2) throw new Error('The example of the README does not have the port 3128 exactly once')
  const asked = []
  const origin = createServer((request, response) => response.end(PAGE)).listen(0, '127.0.0.1')
  const proxy = createServer((request, response) => response.writeHead(405).end()).on('connect', ({ url }, client, head) => {
    asked.push(url)
    const target = connect(origin.address().port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      client.pipe(target).pipe(client)
    })
    for (const socket of [client, target]) socket.on('error', () => client.destroy())
  }).listen(0, '127.0.0.1')
  try {
    await Promise.all([origin, proxy].map((server) => server.listening || once(server, 'listening')))
    writeFileSync(program, parts.join(proxy.address().port))
    const printed = await run(process.execPath, [program], { cwd: folder, limitMs: 20_000 })
    const wanted = /^HTTP\/1\.1 200 OK\r\n[^]*a page from the other side[^]*example\.com closed \d+\n$/
    if (asked.join() !== 'example.com:80' || !wanted.test(printed)) {
      throw new Error(`The example asked the proxy for ${JSON.stringify(asked)} and printed:\n${printed}`)
    }
  } finally {
    for (const server of [origin, proxy]) {
      server.closeAllConnections()
      server.close()
    }
  }
}

/** A package of examples/ compiles against the published types, and its config is loaded with it. */
export async function runThirdParty(folder, name, exported) {
  const example = join(ROOT, 'examples', name)
  await compile(folder, name, { 'index.ts': readFileSync(join(example, 'src', 'index.ts'), 'utf8') })
  writeFileSync(join(folder, name, 'load.js'), [
    `import { createInstance, modules } from 'sluice'`,
    `import { ${exported} } from './dist/index.js'`,
    `const config = ${readFileSync(join(example, 'config.json'), 'utf8')}`,
    `createInstance(config, { modules: [...modules, ${exported}] })`,
  ].join('\n'))
  await run(process.execPath, [join(name, 'load.js')], { cwd: folder, limitMs: 20_000 })
}

async function compile(folder, name, sources) {
  const project = join(folder, name)
  mkdirSync(join(project, 'src'), { recursive: true })
  for (const [file, text] of Object.entries(sources)) writeFileSync(join(project, 'src', file), text)
  const compilerOptions = { ...COMPILER_OPTIONS, rootDir: 'src', outDir: 'dist' }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }))
  await run(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', project], { cwd: project })
}
