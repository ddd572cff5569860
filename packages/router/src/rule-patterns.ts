import { addressTest } from './condition/address-condition.js'
import { nameMatcher } from './condition/domain-condition.js'
import { addressBytes } from './condition/ip-set.js'
import { geoFiles } from './geodata/geo-data.js'

/**
 * How rules write names and addresses, for other sections that write them so (`dns`). What is thrown for a value that cannot be
 * used reads on after it, and has a `hint` where one helps.
 */
export const rulePatterns = {
  /** Names as a rule's `domain` has them. @param plain What text without a form means. */
  names(values: readonly string[], plain: 'full' | 'keyword'): (name: string) => boolean {
    return nameMatcher(values, { data: geoFiles(), plain })
  },

  /** Addresses as a rule's `ip` has them. */
  addresses(values: readonly string[]): (address: string) => boolean {
    const isMeant = addressTest(values, geoFiles())
    return (text) => {
      const address = addressBytes(text)
      return address !== undefined && isMeant(address)
    }
  },
} as const
