/** What a direction may move in one round. */
const QUANTUM_BYTES = 512 << 10
/** Who moves as much in one turn of the event loop keeps the round open. */
const BULK_BYTES = 64 << 10
const MAX_TURNS = 32

/** The part that one direction has in the rounds. */
export class Share {
  readonly goOn: () => void
  /** It has moved all that it may in this round, and must not read before `goOn` is called. */
  parked = false
  round = 0
  usedBytes = 0
  turn = 0
  turnBytes = 0

  /** @param goOn A new round has begun. Called also if the direction has ended meanwhile. */
  constructor(goOn: () => void) {
    this.goOn = goOn
  }
}

/**
 * Lets all bulk directions of the process move as much as each other, however much each has ready at a time.
 *
 * Each may move a quantum per round and is then parked. The round goes on while somebody who is not parked still moves much in each
 * turn of the event loop: those turns are short, so that one with a small TCP window is visited again at once. Then all go on.
 */
export class Rounds {
  #round = 1
  #turn = 1
  #turns = 0
  #live = 0
  #armed = false
  #parked: Share[] = []

  /** The direction has moved these bytes. @returns whether it may read on. */
  spend(share: Share, bytes: number): boolean {
    if (share.round !== this.#round) {
      share.round = this.#round
      share.usedBytes = 0
    }
    share.usedBytes += bytes
    this.#touch(share, bytes)
    if (share.parked) return false
    if (share.usedBytes < QUANTUM_BYTES) return true
    if (share.turnBytes >= BULK_BYTES) this.#live--
    share.parked = true
    this.#parked.push(share)
    // Whoever is parked must be woken, even if nobody moves any more.
    this.#arm()
    return false
  }

  /** The direction had to wait for its sink and can move again: that keeps the round open for it. */
  ready(share: Share): void {
    this.#touch(share, BULK_BYTES)
  }

  #touch(share: Share, bytes: number): void {
    if (share.turn !== this.#turn) {
      share.turn = this.#turn
      share.turnBytes = 0
    }
    const before = share.turnBytes
    share.turnBytes += bytes
    if (share.parked || before >= BULK_BYTES || share.turnBytes < BULK_BYTES) return
    this.#live++
    this.#arm()
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#armed = false
    const goesOn = this.#live > 0 && ++this.#turns < MAX_TURNS
    this.#turn++
    this.#live = 0
    if (this.#parked.length === 0) this.#turns = 0
    else if (goesOn) this.#arm()
    else this.#nextRound()
  }

  #nextRound(): void {
    const parked = this.#parked
    this.#parked = []
    this.#round++
    this.#turns = 0
    for (const share of parked) {
      share.parked = false
      share.goOn()
    }
  }
}

/** All bulk directions of this process take turns with each other. */
export const rounds = new Rounds()
