// Two fingers: how far they moved together, and how far apart they went.

export type PinchChange = { dx: number; x: number; factor: number };
type Finger = { x: number; y: number };

export class Pinch {
  private readonly fingers = new Map<number, Finger>();

  get active(): boolean {
    return this.fingers.size > 1;
  }

  down(event: { pointerId: number; offsetX: number; offsetY: number; pointerType: string }): void {
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  }

  up(event: { pointerId: number }): void {
    this.fingers.delete(event.pointerId);
  }

  /** What a finger's move means, or null while there are not two. */
  move(event: { pointerId: number; offsetX: number; offsetY: number }): PinchChange | null {
    const finger = this.fingers.get(event.pointerId);
    if (!finger || this.fingers.size !== 2) return null;
    const [other] = [...this.fingers].filter(([id]) => id !== event.pointerId).map(([, each]) => each);
    const before = Math.max(20, Math.abs(finger.x - other.x));
    const middle = (finger.x + other.x) / 2;
    this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    const after = Math.max(20, Math.abs(event.offsetX - other.x));
    const x = (event.offsetX + other.x) / 2;
    return { dx: x - middle, x, factor: before / after };
  }
}
