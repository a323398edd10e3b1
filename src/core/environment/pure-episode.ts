// A pure environment as a world of episodes: synchronous inside, replayed by playing its calls again.
import type { GoldenTask } from "#contracts/task.ts";
import { repliesOf } from "../rollout/ending.ts";
import { pendingWrites } from "../rollout/premature-stop.ts";
import type { Environment, EnvironmentCall } from "./environment.ts";
import type { Episode, FinishedConversation, World } from "./episode.ts";
import { tauProtocol } from "./protocol.ts";
import { gradeOfState } from "./state-grade.ts";
import { requireGolden } from "./told-task.ts";

function pureEpisode<State>(environment: Environment<State>, task: GoldenTask): Episode {
  let state = environment.reset();
  const act = ({ name, argumentsJson }: EnvironmentCall) => {
    const step = environment.step(state, { name, argumentsJson });
    state = step.state;
    return { text: step.observation, isError: step.isError };
  };
  return {
    act: async (calls) => calls.map(act),
    fingerprint: async () => environment.stateHash(state),
    grade: async ({ turns }: FinishedConversation) => gradeOfState(environment.grade(state, task, repliesOf(turns))),
    close: async () => {},
    /** 0 as soon as the database is the golden one, however it came to be. */
    numPendingWrites(turns) {
      const { length } = pendingWrites(task, turns, environment);
      return length > 0 && environment.grade(state, task, []).isDatabaseMatch ? 0 : length;
    },
  };
}

/** The world of a pure environment, by tau-bench's protocol. */
export function pureWorld<State>(environment: Environment<State>): World {
  const { id, tools, systemPrompt } = environment;
  const terminal = tools.map((tool) => tool.function.name).filter((name) => environment.isTerminal(name));
  return {
    id,
    tools,
    systemPrompt,
    protocol: tauProtocol(terminal),
    resume: "re-execute",
    isInstant: true,
    open: async (task) => pureEpisode(environment, requireGolden(task)),
  };
}

export function isWorld(environment: Environment | World): environment is World {
  return "open" in environment;
}
