// What a write does to the database, found by replaying the trajectory in the environment it ran in. Pure: states are immutable.
import type { Environment, EnvironmentCall } from "../environment/environment.ts";
import type { GoldenCall } from "./golden-calls.ts";

export interface WriteReplay {
  /** The unused golden call of the same name that would change the database exactly as this call does, or undefined. */
  findEquivalent(call: EnvironmentCall, golden: readonly GoldenCall[]): GoldenCall | undefined;
  /** Goes on to the state after an executed call. */
  advance(call: EnvironmentCall): void;
}

export function createWriteReplay(environment: Environment): WriteReplay {
  let state = environment.reset();
  const hashAfter = (call: EnvironmentCall) => environment.stateHash(environment.step(state, call).state);
  return {
    findEquivalent: (call, golden) => {
      const candidates = golden.filter((other) => !other.isUsed && other.name === call.name);
      if (candidates.length === 0) return undefined;
      const hash = hashAfter(call);
      if (hash === environment.stateHash(state)) return undefined;
      return candidates.find((other) => hashAfter(other) === hash);
    },
    advance: (call) => {
      state = environment.step(state, call).state;
    },
  };
}
