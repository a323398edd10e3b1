// `python -m trainer export`: a batch file as the training data of another engine. See docs/engines.md.
import { execa } from "execa";
import { TRAINER_EXIT } from "#contracts/training.ts";
import { CampaignError, ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import { pythonEnvironment } from "../../../infra/setup/python/our-python.mjs";

export const ENGINES = ["prime-rl", "verl"] as const;
export type Engine = (typeof ENGINES)[number];

export interface BatchExport {
  /** The Python interpreter of the trainer's environment. */
  readonly python: string;
  readonly batchPath: string;
  readonly engine: Engine;
  /** New or empty; whole or untouched afterwards. */
  readonly out: string;
  /** Further options of the command, by name without dashes. */
  readonly options: Readonly<Record<string, string>>;
}

/** Throws config.invalid for a batch, folder or option that cannot serve, else the code that the trainer names, or trainer.crashed. */
export async function exportBatch({ python, batchPath, engine, out, options }: BatchExport): Promise<void> {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const env = pythonEnvironment();
  const ended = await execa(python, ["-m", "trainer", "export", batchPath, "--engine", engine, "--out", out, ...flags], {
    env,
    extendEnv: false,
    reject: false,
  });
  if (ended.exitCode === TRAINER_EXIT.done) return;
  const { code, message } = readError(ended.stderr ?? ended.shortMessage ?? "");
  if (code === "trainer.invalid-job") throw new CampaignError("config.invalid", message, { next: "turnwise batch export --help" });
  const how = `the export ended with ${ended.exitCode ?? ended.signal ?? ended.code}`;
  throw new CampaignError(code ?? "trainer.crashed", `${how}: ${message}`, {
    next: "run npm run setup if Python is missing; else see that there is room on the disk, and start it again",
  });
}

/** The trainer's one line of error, `error: CODE: MESSAGE`; no code where its arguments were not understood or it never started. */
function readError(text: string): { code: ErrorCode | null; message: string } {
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  const [, code, message = line] = /error: (?:([a-z]+\.[a-z-]+): )?(.*)$/.exec(line) ?? [];
  const isUsage = line.startsWith("python -m trainer export: error:");
  return { code: isUsage ? "trainer.invalid-job" : (ERROR_CODES.find((known) => known === code) ?? null), message };
}
