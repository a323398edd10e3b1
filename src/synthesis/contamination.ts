// Is a synthesized task one of a benchmark's own? The same user with the same writes, or an instruction in the same words.

import type { GoldenAction, GoldenTask } from "#contracts/task.ts";
import type { Contamination } from "#contracts/task-file.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { canonicalArguments } from "#core/reward/canonical-arguments.ts";

/** Words in a sequence. Shorter ones are shared by any two requests to an airline. */
const SEQUENCE_LENGTH = 5;

export interface Benchmark {
  readonly numTasks: number;
  readonly users: ReadonlySet<string>;
  /** `isWrite` decides what counts as a write. */
  check(userId: string, writes: readonly GoldenAction[], instruction: string): Contamination;
}

export function createBenchmark(tasks: readonly GoldenTask[], isWrite: (name: string) => boolean, maxOverlap: number): Benchmark {
  const byWrites = new Map<string, string>();
  const bySequence = new Map<string, string[]>();
  for (const task of tasks) {
    const writes = task.goldenActions.filter(({ name }) => isWrite(name) && name !== "transfer_to_human_agents");
    if (writes.length > 0) byWrites.set(writesKey(task.userId, writes), task.id);
    for (const sequence of sequencesOf(task.instruction)) bySequence.set(sequence, [...(bySequence.get(sequence) ?? []), task.id]);
  }
  return {
    numTasks: tasks.length,
    users: new Set(tasks.map(({ userId }) => userId)),
    check(userId, writes, instruction) {
      const sameWrites = writes.length === 0 ? null : (byWrites.get(writesKey(userId, writes)) ?? null);
      const { overlap, overlapsWith } = largestOverlap(sequencesOf(instruction), bySequence);
      return { sameWrites, overlap, overlapsWith, isFlagged: sameWrites !== null || overlap >= maxOverlap };
    },
  };
}

/**
 * Equal for the same user and the same set of writes, whatever their order and the spelling of their arguments. "1" and 1 are one here:
 * a task too many is flagged rather than a benchmark's own let through.
 */
export function writesKey(userId: string, writes: readonly GoldenAction[]): string {
  const texts = writes.map(({ name, argumentsJson }) =>
    canonicalJson([name, Array.from(canonicalArguments(argumentsJson, undefined, "lenient") ?? [])]),
  );
  return canonicalJson([userId, ...texts.sort()]);
}

/** Distinct sequences of words in lower case. */
function sequencesOf(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[a-z0-9#_']+/g) ?? [];
  return new Set(
    words
      .slice(0, Math.max(0, words.length - SEQUENCE_LENGTH + 1))
      .map((_, index) => words.slice(index, index + SEQUENCE_LENGTH).join(" ")),
  );
}

function largestOverlap(sequences: ReadonlySet<string>, bySequence: ReadonlyMap<string, readonly string[]>) {
  const counts = new Map<string, number>();
  for (const sequence of sequences) for (const id of bySequence.get(sequence) ?? []) counts.set(id, (counts.get(id) ?? 0) + 1);
  const [most] = Array.from(counts).sort(([, left], [, right]) => right - left);
  if (most === undefined) return { overlap: 0, overlapsWith: null };
  return { overlap: Math.round((most[1] / sequences.size) * 1000) / 1000, overlapsWith: most[0] };
}
