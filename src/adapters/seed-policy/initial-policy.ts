// A policy before any training, written by the trainer: random weights and a tokenizer that can say any text.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { InitialModel, type InitialModelJob } from "#contracts/sft.ts";
import { CampaignError } from "#core/errors.ts";
import { pythonEnvironment } from "../../../infra/setup/python/our-python.mjs";

const SECONDS = 300;

/**
 * Writes the model directory `job.outputDirectory`, an absolute path, and says what it is.
 *
 * throws  config.invalid when something lies there already; trainer.invalid-job for a shape that cannot be; trainer.crashed
 */
export async function makeInitialPolicy(job: InitialModelJob, python: string): Promise<InitialModel> {
  await refuseTaken(job.outputDirectory);
  const folder = await mkdtemp(join(tmpdir(), "turnwise-init-"));
  const path = join(folder, "job.json");
  try {
    await writeFile(path, JSON.stringify(job));
    const { stdout } = await execa(python, ["-m", "trainer", "init", path], {
      env: pythonEnvironment(),
      extendEnv: false,
      timeout: SECONDS * 1000,
    });
    return InitialModel.parse(JSON.parse(stdout));
  } catch (cause) {
    throw failureOf(cause);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The trainer replaces what lies at its output; a folder with something in it is somebody's. */
async function refuseTaken(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new CampaignError("config.invalid", `no policy can be written to ${folder}: ${error.message}`, { next: "name another folder" });
  });
  if (names.length === 0) return;
  throw new CampaignError("config.invalid", `${folder} has files already (${names[0]}, …), and a new policy would replace them`, {
    next: "name a folder that is not there yet, or remove that one",
  });
}

function failureOf(cause: unknown): CampaignError {
  const { exitCode, stderr } = cause as { exitCode?: number; stderr?: string };
  const said = (stderr ?? "").trim().split("\n").at(-1) ?? "";
  if (exitCode === 2)
    return new CampaignError("trainer.invalid-job", said.replace(/^error: [a-z.-]+: /, ""), { next: "choose another shape" });
  return new CampaignError("trainer.crashed", `the model was not made: ${said || String(cause)}`, { cause, next: "run npm run setup" });
}
