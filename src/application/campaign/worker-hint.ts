// How a person gets a worker for a queue that has none: what to type depends on what runs here.
import { join } from "node:path";
import { readStack } from "#adapters/services/stack.ts";
import { logFolder } from "#adapters/services/state.ts";
import type { Settings } from "#adapters/settings.ts";
import { startWorker, workerName } from "#contracts/workflow-ids.ts";

/** What runs on this machine, as far as it decides the hint. */
export interface HintPlace {
  readonly home: string;
  /** Names of the services of the stack that runs in this home; null when none does. */
  readonly services: readonly string[] | null;
  /** Of a Temporal server elsewhere; null when it is the stack's own. */
  readonly remoteAddress: string | null;
}

export interface Waiting {
  /** Why nothing goes on, in a sentence without its full stop. */
  readonly message: string;
  /** What a person can do about it: a command, or null when it only takes time. */
  readonly next: string | null;
}

export function noWorker(queue: string, { home, services, remoteAddress }: HintPlace): Waiting {
  const name = workerName(queue);
  const message = `no worker takes the work of ${queue}`;
  if (services?.includes(name) === true)
    return {
      message: `${message}: the ${name} worker of this stack is not up`,
      next: `turnwise status, and read ${join(logFolder(home), `${name}.log`)}`,
    };
  const byHand = startWorker(queue);
  if (remoteAddress !== null) return { message, next: `where it is to run: TURNWISE_TEMPORAL_ADDRESS=${remoteAddress} ${byHand}` };
  if (services === null) return { message, next: "turnwise up" };
  return { message: `${message}: this stack was started without a ${name} worker`, next: `${byHand}   (or: turnwise down && turnwise up)` };
}

export function hintPlace({ home, temporalAddress, isTemporalGiven }: Settings): HintPlace {
  const stack = readStack(home);
  const isOwn = stack !== null && stack.endpoints.temporalAddress === temporalAddress;
  const services = isOwn ? stack.services().map(({ name }) => name) : null;
  return { home, services, remoteAddress: isOwn || !isTemporalGiven ? null : temporalAddress };
}
