import { equal } from 'node:assert/strict'

/** Last of all: what the program wrote meanwhile. */
export const secretCells = [{
  name: 'no secret in the log',
  applies: ({ basic }) => basic === true,
  async run({ lane: { account: { user, pass } }, sluice }) {
    for (const secret of [pass, Buffer.from(`${user}:${pass}`).toString('base64'), 'Proxy-Authorization']) {
      equal(sluice.log().toLowerCase().includes(secret.toLowerCase()), false, 'our log holds a secret')
    }
  },
}]
