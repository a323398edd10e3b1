// The all-or-nothing grade of a pure environment, as the grade of an episode.
import type { StateGrade } from "./environment.ts";
import type { Grade } from "./episode.ts";

/** Two parts: whether the database is the golden one, and whether every required output was said. */
export function gradeOfState(grade: StateGrade): Grade {
  const parts = { database: grade.isDatabaseMatch ? 1 : 0, outputs: grade.missingOutputs.length === 0 ? 1 : 0 };
  const passed = grade.reward === 1;
  return passed ? { reward: grade.reward, passed, parts } : { reward: grade.reward, passed, parts, detail: explain(grade) };
}

function explain({ isDatabaseMatch, missingOutputs }: StateGrade): string {
  if (!isDatabaseMatch) return "the final database is not the golden one";
  return `the replies lack ${missingOutputs.map((output) => JSON.stringify(output)).join(", ")}`;
}
