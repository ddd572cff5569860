/** What the process says when it ends. 23 is what service managers know of v2ray as "do not restart". */
export const ExitCode = { ok: 0, failure: 1, usage: 2, config: 23 } as const
