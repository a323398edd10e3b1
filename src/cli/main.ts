// The command line: registers the command families, prints every failure as code, cause and next step.
import { Command, CommanderError } from "commander";
import { registerAdvantages } from "./commands/advantages.ts";
import { registerBatch } from "./commands/batch.ts";
import { registerCalibrate } from "./commands/calibrate.ts";
import { registerCalibrationDiff } from "./commands/calibration-diff.ts";
import { registerCampaign } from "./commands/campaign.ts";
import { registerCompare } from "./commands/compare.ts";
import { registerEnv } from "./commands/env.ts";
import { registerGc } from "./commands/gc.ts";
import { registerHistory } from "./commands/history.ts";
import { registerPolicy } from "./commands/policy.ts";
import { registerQuery } from "./commands/query.ts";
import { registerQuickstart } from "./commands/quickstart.ts";
import { registerReproduce } from "./commands/reproduce.ts";
import { registerRollouts } from "./commands/rollouts.ts";
import { registerServices } from "./commands/services.ts";
import { registerSimulator } from "./commands/simulator.ts";
import { registerSynthesize } from "./commands/synthesize.ts";
import { registerTestbed } from "./commands/testbed.ts";
import { registerTracking } from "./commands/tracking.ts";
import { exitCodeOf, printFailure } from "./failure.ts";
import { guardOutput } from "./guard-output.ts";
import { interruption } from "./interrupt.ts";

const program = new Command("turnwise")
  .description("Durable calibration campaigns for tool-calling agents trained with multi-turn reinforcement learning")
  .showHelpAfterError("(add --help for the list of options)")
  .exitOverride();

for (const register of [
  registerQuickstart,
  registerCampaign,
  registerServices,
  registerHistory,
  registerCompare,
  registerQuery,
  registerCalibrate,
  registerCalibrationDiff,
  registerAdvantages,
  registerTestbed,
  registerReproduce,
  registerEnv,
  registerSynthesize,
  registerRollouts,
  registerBatch,
  registerSimulator,
  registerPolicy,
  registerTracking,
  registerGc,
]) {
  register(program);
}

guardOutput(process.argv.includes("--json"));
try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (interruption() !== null) {
    console.error(`interrupted; ${interruption()}`);
    process.exitCode = 130;
  } else if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 64;
  else {
    printFailure(error, process.argv.includes("--json"));
    process.exitCode = exitCodeOf(error);
  }
}
