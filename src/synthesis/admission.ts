// Which tasks are kept: none twice, and none that is a benchmark's own unless it is to be flagged.

import type { GoldenAction } from "#contracts/task.ts";
import type { Contamination, SynthesisOptions } from "#contracts/task-file.ts";
import { type Benchmark, writesKey } from "./contamination.ts";
import type { Entry } from "./entry.ts";

export interface Admission {
  /** The comparison with the benchmark, or null for a task that is dropped. */
  admit(entry: Entry): Contamination | null;
  readonly tally: { readonly duplicates: number; readonly contaminated: number };
}

export function createAdmission(benchmark: Benchmark, { contaminated }: Pick<SynthesisOptions, "contaminated">): Admission {
  const seen = new Set<string>();
  const tally = { duplicates: 0, contaminated: 0 };
  return {
    tally,
    admit(entry) {
      const { userId, instruction } = entry.task;
      const contamination = benchmark.check(userId, pick(entry, "write"), instruction);
      const key = contentOf(entry);
      if (seen.has(key)) {
        tally.duplicates += 1;
        return null;
      }
      if (contamination.isFlagged) tally.contaminated += 1;
      if (contamination.isFlagged && contaminated === "drop") return null;
      seen.add(key);
      return contamination;
    },
  };
}

/** Equal for tasks that ask the same user for the same: what is to be written, refused and answered, in any order. */
export function contentOf({ task, decisions }: Pick<Entry, "task" | "decisions">): string {
  const outputs = decisions.flatMap((decision) => decision.outputs).sort();
  return JSON.stringify([
    writesKey(task.userId, pick({ decisions }, "write")),
    writesKey(task.userId, pick({ decisions }, "forbidden")),
    outputs,
    outputs.length === 0 ? [] : task.goldenActions,
  ]);
}

function pick({ decisions }: Pick<Entry, "decisions">, which: "write" | "forbidden"): GoldenAction[] {
  return decisions.flatMap((decision) => decision[which] ?? []);
}
