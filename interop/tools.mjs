/** The programs that the lane needs and does not bring. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const PACKAGES = { squid: 'squid-openssl', htpasswd: 'apache2-utils', nghttpx: 'nghttp2-proxy' }
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

export function pathOf(tool) {
  return FOLDERS.map((folder) => join(folder, tool)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export function missingTools(tools) {
  return tools.filter((tool) => pathOf(tool) === undefined)
}

export function howToInstall(tools) {
  return `apt-get install --no-install-recommends ${tools.map((tool) => PACKAGES[tool] ?? tool).join(' ')}`
}
