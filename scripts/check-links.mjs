/** Every relative link of the documents leads to a file, and to a heading of it if it names one. */
import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { anchorsOf, documents, linksOf } from './markdown.mjs'
import { finish, fromRoot, read } from './tree.mjs'

const faults = []
let count = 0
for (const path of documents()) {
  for (const { target, line } of linksOf(read(path))) {
    if (/^[a-z][a-z+.-]*:/i.test(target)) continue
    count += 1
    const [file, anchor] = target.split('#')
    const to = file === '' ? path : resolve(dirname(path), decodeURIComponent(file))
    if (!existsSync(to)) faults.push(`${fromRoot(path)}:${line}: '${target}' does not exist`)
    else if (anchor !== undefined && to.endsWith('.md') && statSync(to).isFile() && !anchorsOf(read(to)).has(anchor)) {
      faults.push(`${fromRoot(path)}:${line}: '${target}': no such heading`)
    }
  }
}
finish(faults, `${count} relative links lead somewhere`)
