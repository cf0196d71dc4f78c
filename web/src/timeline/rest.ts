// Waits until what changes has come to rest, but not for ever.

export class Rest {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private since = 0;

  /** `then` is called `restMs` after the last change, and `mostMs` after the first one at the latest. */
  constructor(
    private readonly restMs: number,
    private readonly mostMs: number,
    private readonly then: () => void,
  ) {}

  /** Whether it waits. */
  get waits(): boolean {
    return this.timer !== null;
  }

  changed(): void {
    const now = performance.now();
    if (this.timer === null) this.since = now;
    else clearTimeout(this.timer);
    const left = Math.min(this.restMs, this.since + this.mostMs - now);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.then();
    }, Math.max(0, left));
  }
}
