// The agent that knows a task's decisions and plays them in a conversation: the proof that the scripted user lets a right agent pass.
import type { SynthesizedTask, TaskDecision } from "#contracts/task-file.ts";
import type { Environment } from "#core/environment/environment.ts";
import { deriveSeed } from "#core/rng.ts";
import { type AgentScript, playScript } from "#environments/synthetic-airline/play-script.ts";
import { agendaOf } from "#simulators/scripted.ts";

const MAX_TURNS = 120;

/** True when the golden agent passes the task with the scripted user. */
export function passesWithScriptedUser<State>(
  environment: Environment<State>,
  entry: Pick<SynthesizedTask, "task" | "decisions">,
): boolean {
  const seed = deriveSeed("golden-agent", entry.task.id);
  return playScript(environment, entry.task, goldenScript(entry), { seed, maxTurns: MAX_TURNS }).isPassed;
}

/** Asks who the user is, then for each wish reads the evidence, proposes and writes, refuses, or answers. */
function* goldenScript({ task, decisions }: Pick<SynthesizedTask, "task" | "decisions">): AgentScript {
  const { wishes, opensWithUserId } = agendaOf(task);
  if (!opensWithUserId) yield { type: "say", content: "May I have your user id, please?" };
  for (const [index, decision] of decisions.entries()) {
    for (const read of decision.evidence) yield { type: "call", ...read };
    yield* settle(decision, wishes[index]?.insists ?? false);
  }
}

function* settle({ type, write, outputs }: TaskDecision, insists: boolean): AgentScript {
  if (type === "answer") return void (yield { type: "say", content: `It is ${outputs.join(" and ")}. Is there anything else?` });
  if (write === null) {
    yield { type: "say", content: "I am sorry, that is not allowed." };
    if (insists) yield { type: "say", content: "I am sorry, it is not allowed in any case." };
    return;
  }
  yield { type: "say", content: `I can do that. Shall I go ahead?` };
  yield { type: "call", ...write };
  yield { type: "say", content: "It is done. Is there anything else?" };
}
