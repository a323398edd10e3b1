// The options of commands that read rollouts from files or from a campaign.
import { type Command, Option } from "commander";
import { TASK_SET_NAMES } from "#application/rollouts/task-set-names.ts";
import { RolloutPurpose } from "#contracts/manifests.ts";

export function addRolloutSourceOptions(command: Command): Command {
  return command
    .argument("[file...]", "tau-bench or tau2-bench results, JSONL with task_id, messages and outcome, or Parquet of trajectories")
    .option("--campaign <id>", "the rollouts of a campaign instead of files")
    .option("--iteration <number>", "of this iteration alone (default: all)")
    .addOption(new Option("--purpose <purpose>", "which rollouts of the campaign").choices(RolloutPurpose.options).default("selection"))
    .option("--task-set <name>", `the environment that the files' rollouts were made in: ${TASK_SET_NAMES.join(", ")}`)
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)");
}
