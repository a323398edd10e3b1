// What an interpreter is told of the world: a clock that advances by a millisecond whenever it is asked, and bytes of a fixed generator.
// Sleeping and waiting end at once, and every episode sees the same.

const BEGIN_MS = Date.UTC(2026, 0, 1);

export interface FixedWorld {
  /** Milliseconds since 1970. */
  now(): number;
  fill(bytes: Uint8Array): void;
  reset(): void;
}

export function fixedWorld(): FixedWorld {
  let [asked, state] = [0, 0];
  return {
    now: () => {
      asked += 1;
      return BEGIN_MS + asked;
    },
    fill: (bytes) => {
      for (let at = 0; at < bytes.length; at++) {
        state = (state + 0x6d2b79f5) | 0;
        bytes[at] = mix(state) & 0xff;
      }
    },
    reset: () => {
      [asked, state] = [0, 0];
    },
  };
}

/** The output of mulberry32. */
function mix(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return mixed ^ (mixed >>> 14);
}

/** A `Date` for this whole thread whose "now" is the fixed one: Emscripten stamps its files with it. */
export function fixDate(now: () => number): void {
  globalThis.Date = new Proxy(Date, {
    construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args) as Date,
    get: (target, key) => (key === "now" ? now : (Reflect.get(target, key) as unknown)),
  });
}
