// Standard output that ends before we do. A reader that goes away (`| head`) has what it wanted; a disk that is full has not: whoever
// reads the exit code must know that the output is not whole. Standard error that cannot be written leaves nowhere to say anything.
import { CampaignError } from "#core/errors.ts";
import { exitCodeOf, printFailure } from "./failure.ts";

/** To be called once, before anything is written: it holds for `console.log`, help texts and every other way to write. */
export function guardOutput(isJson: boolean): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    const failure = new CampaignError("store.unavailable", `standard output cannot be written: ${error.message}`, {
      next: "write it where there is room; what was printed is not whole",
    });
    printFailure(failure, isJson);
    process.exit(exitCodeOf(failure));
  });
  process.stderr.on("error", () => undefined);
}
