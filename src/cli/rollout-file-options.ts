// The options that `calibrate` and `advantages` share.
import { type Command, Option } from "commander";
import type { LabelledRequest } from "#application/rollouts/labelled-files.ts";
import { TASK_SET_NAMES } from "#application/rollouts/task-set-names.ts";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { BuiltInTierScheme } from "#contracts/reward-table.ts";

export interface RolloutFileOptions extends LabelledRequest {
  readonly by?: "policy";
}

export function addRolloutFileOptions(command: Command): Command {
  return command
    .argument("<file...>", "tau-bench or tau2-bench results, JSONL with task_id, messages and outcome, or Parquet of trajectories")
    .option("--tiers <scheme>", `tier scheme: ${BuiltInTierScheme.options.join(", ")}, or a YAML file with one of your own`, "finer/1")
    .option("--rewards <table>", "reward table: a name of configs/rewards or a YAML file (default: the scheme's prior)")
    .addOption(
      new Option("--estimator <id>", "advantage estimator")
        .choices(AdvantageConfig.options.map((option) => option.shape.type.value))
        .default("gtpo-hybrid/1"),
    )
    .option(
      "--set <key=value>",
      "a setting of the estimator, e.g. gamma=0.95; repeatable",
      (pair: string, list: string[]) => [...list, pair],
      [],
    )
    .option("--task-set <name>", `replay the calls in this environment, to judge writes by their effect: ${TASK_SET_NAMES.join(", ")}`)
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)")
    .addOption(new Option("--by <what>", "one report for each policy, as if its rollouts alone had been given").choices(["policy"]))
    .option("--write-tools <names>", "comma-separated names of tools that change state (default: those of tau-bench)")
    .option("--terminal-tools <names>", "comma-separated names of tools that end the conversation (default: transfer_to_human_agents)");
}
