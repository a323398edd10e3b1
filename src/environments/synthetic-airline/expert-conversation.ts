// Expert, scripted user and real environment in one conversation: demonstrations for supervised training, and the check that every
// generated task can be passed.
import type { GoldenTask } from "#contracts/task.ts";
import { randomFrom } from "#core/random-source.ts";
import { expertScript } from "./expert.ts";
import { type PlayedScript, playScript } from "./play-script.ts";
import type { TaskSource } from "./tasks.ts";

const MAX_TURNS = 40;

/** Plays one task with the expert. Same seed, same conversation. */
export function expertConversation<State>(source: TaskSource<State>, task: GoldenTask, seed: string, slipRate: number): PlayedScript {
  const script = expertScript(task, source.records, randomFrom(seed, "expert"), slipRate);
  return playScript(source.environment, task, script, { seed, maxTurns: MAX_TURNS });
}
