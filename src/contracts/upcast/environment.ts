// The environment of a campaign config of 0.1.0 (schema version 1), read as today's.
import type { EnvironmentConfig } from "../campaign-config.ts";

export type EnvironmentConfig1 =
  | { readonly type: "synthetic-airline"; readonly seed: number }
  | { readonly type: "tau-bench-airline"; readonly evaluationTasks: number }
  | { readonly type: "tau-bench-retail" | "tau2-airline" }
  | { readonly type: "task-file"; readonly path: string; readonly sha256?: string | undefined };

/** The same tasks in the same uses: what 0.1.0 held out chose the policy. */
export function upcastEnvironment(environment: EnvironmentConfig1): EnvironmentConfig {
  const splits = "train-evaluation";
  switch (environment.type) {
    case "tau-bench-airline":
      return { type: environment.type, testTasks: environment.evaluationTasks, selectionTasks: 0, splits };
    case "tau-bench-retail":
    case "tau2-airline":
      return { type: environment.type, selectionTasks: 0, splits };
    default:
      return { ...environment, splits };
  }
}
