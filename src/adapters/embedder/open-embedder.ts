// The model that says which programs are alike, as a Python process: texts in, vectors out. It carries its weights and needs no network.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { CodeEmbedder } from "#core/advantage/shaping/embedding-similarity.ts";
import { CampaignError, FEW_TRIES } from "#core/errors.ts";
import { childEnvironment } from "../../../infra/setup/shell.mjs";
import { REPOSITORY } from "../settings.ts";

/** Of one answer, the loading of the model among them. */
const ANSWER_MS = 600_000;
const EXIT_NO_MODEL = 3;
/** An answer is about 8 KiB for each program. */
const MAX_ANSWER_BYTES = 1024 ** 3;
const Answer = z.strictObject({ id: z.string(), vectors: z.array(z.array(z.number())) });

/** `model`: the name of a Python package that carries a model, or a folder, relative to the repository. */
export function openEmbedder(model: string, python: string): CodeEmbedder {
  const folder = join(REPOSITORY, model);
  const name = existsSync(folder) ? folder : model;
  return {
    id: model,
    embed: async (programs, signal) => (await ask(name, python, programs, signal)).vectors,
  };
}

async function ask(model: string, python: string, texts: readonly string[], signal: AbortSignal): Promise<z.infer<typeof Answer>> {
  const env = childEnvironment({ PYTHONPATH: join(REPOSITORY, "trainer", "src"), OMP_WAIT_POLICY: "PASSIVE" });
  const { exitCode, stdout, stderr, failed, timedOut } = await execa(python, ["-m", "embedder", model, "--die-with-parent"], {
    env,
    extendEnv: false,
    input: JSON.stringify({ texts }),
    cancelSignal: signal,
    timeout: ANSWER_MS,
    maxBuffer: MAX_ANSWER_BYTES,
    reject: false,
  });
  signal.throwIfAborted();
  if (exitCode === EXIT_NO_MODEL) throw missing(model, python);
  const parsed = failed ? null : Answer.safeParse(parseJson(stdout));
  if (parsed?.success === true) return parsed.data;
  const why = timedOut ? `no answer within ${ANSWER_MS / 1000} s` : failed ? lastLine(stderr) : "its answer is no list of vectors";
  throw new CampaignError("provider.unavailable", `the embedder ${model} gave no vectors: ${why}`, {
    next: "see what it says; no rollout gets credit for its code until it answers",
    maxTries: FEW_TRIES,
  });
}

function missing(model: string, python: string): CampaignError {
  return new CampaignError("config.unreachable", `there is no embedder ${model}: neither a folder of the repository nor a Python package`, {
    next: `install it beside the trainer's packages (uv pip install --python ${python} ${model}), or set reward.shaping.similarity to tokens`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) || "it said nothing";
