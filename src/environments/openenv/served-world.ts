// The world of a server of the OpenEnv protocol: its tools, and an episode on a session of its own for every rollout.
import type { World } from "#core/environment/episode.ts";
import { deriveSeed, seedToInt } from "#core/rng.ts";
import { taskProtocol } from "../authoring.ts";
import type { OpenEnvConfig, ToldTask } from "./config.ts";
import { openEpisode } from "./episode.ts";
import { resetMessage } from "./messages.ts";
import type { OpenEnvServer } from "./server.ts";
import type { ServerTools } from "./tools.ts";

/** `tasks`: those that can be opened. The protocol knows no snapshot, so an interrupted rollout begins again. */
export function servedWorld(config: OpenEnvConfig, server: OpenEnvServer, tools: ServerTools, tasks: readonly ToldTask[]): World {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const settings = { tools, shows: config.shows, reward: config.reward };
  return {
    id: "openenv",
    tools: tools.schemas,
    systemPrompt: config.systemPrompt,
    protocol: taskProtocol(),
    resume: "restart",
    async open({ id }, { seed, signal }) {
      const task = byId.get(id);
      if (task === undefined) throw new Error(`there is no task ${id}`);
      const opened = await server.open(resetMessage(resetParameters(task, seed, config.seeds)), signal);
      return openEpisode(opened, task.instruction, settings);
    },
  };
}

/** What the task says stands above what we would say. `seed`: of the rollout, under which the server's log finds it. */
function resetParameters({ id, reset }: ToldTask, seed: string, seeds: OpenEnvConfig["seeds"]): Record<string, unknown> {
  const chance = { task: deriveSeed("openenv", id), rollout: seed, none: null }[seeds];
  return { episode_id: seed, ...(chance === null ? {} : { seed: seedToInt(chance) }), ...reset };
}
