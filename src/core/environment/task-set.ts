// What an environment's plugin opens: tasks by use, the world that they are played in, and how their turns are labelled and written down.
import type { PromptFormat } from "../prompt-format/prompt-format.ts";
import type { Labeller } from "../reward/labeller.ts";
import type { Environment } from "./environment.ts";
import type { World } from "./episode.ts";
import type { Splits } from "./splits.ts";

export interface TaskSet {
  readonly world: World;
  readonly splits: Splits;
  /** Over all that decides what a rollout of it is: tasks and their splits, tools, prompts, data, code. */
  readonly dataSha256: string;
  readonly labeller: Labeller;
  /** Prompt formats beside core's `native`, by the name that `policy.format` has for them. */
  readonly formats: Readonly<Record<string, PromptFormat>>;
  /** Where the world is a pure function: for replays, floors, and what a write does. */
  readonly environment: Environment | null;
}
