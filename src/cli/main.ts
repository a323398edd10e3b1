// The command line: adds the commands, prints every failure as code, cause and next step.
import { Command, CommanderError } from "commander";
import { exitCodeOf, printFailure } from "./failure.ts";
import { addFamilies } from "./families.ts";
import { guardOutput } from "./guard-output.ts";
import { interruption } from "./interrupt.ts";

const program = new Command("turnwise")
  .description("Durable calibration campaigns for tool-calling agents trained with multi-turn reinforcement learning")
  .showHelpAfterError("(add --help for the list of options)")
  .exitOverride();

await addFamilies(program, process.argv.slice(2));
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
