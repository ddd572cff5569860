/**
 * Name look-ups by configured servers.
 *
 * @packageDocumentation
 */
export {}
