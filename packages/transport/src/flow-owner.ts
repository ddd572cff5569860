/** Whose bytes a flow moves: it counts them, and lets its source go on or not. */
export interface FlowOwner {
  /** When bytes last moved, by the monotonic clock. */
  readonly movedAt: number
  /** So many bytes came. @returns whether more may come in this round. */
  moved(bytes: number): boolean
  /** So many bytes reach nobody. */
  lost(bytes: number): void
  /** The sink must take some before more may come: until `taken`. */
  hold(): void
  taken(): void
  /** No more may come in this round. */
  park(): void
}
