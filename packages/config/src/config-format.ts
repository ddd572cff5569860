/** How a config may be written; `auto` goes by the end of its name, and takes what has no other for JSON. */
export const CONFIG_FORMATS = ['auto', 'json', 'jsonc', 'yaml', 'toml'] as const

export type ConfigFormat = (typeof CONFIG_FORMATS)[number]

/** A file whose name ends so is a config. */
export const CONFIG_NAME = /\.(?:jsonc?|ya?ml|toml)$/i

/** The format in which to read a text. */
export function formatOf(file = '', format: ConfigFormat = 'auto'): 'json' | 'yaml' | 'toml' {
  if (format === 'yaml' || format === 'toml') return format
  if (format !== 'auto') return 'json'
  if (/\.ya?ml$/i.test(file)) return 'yaml'
  return /\.toml$/i.test(file) ? 'toml' : 'json'
}
