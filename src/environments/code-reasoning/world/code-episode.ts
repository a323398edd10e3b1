// One question: cells are run in a session, in one namespace.
import type { CodeTask } from "#contracts/code-task.ts";
import { hashJson } from "#core/canonical-json.ts";
import type { Episode, Observation } from "#core/environment/episode.ts";
import type { ToolSchema } from "#core/ports.ts";
import type { CodeRuntime, CodeSession } from "../code-runtime.ts";
import type { CodeReasoningConfig } from "../config.ts";
import { gradeCode } from "./grade.ts";
import { errorObservation, observationOf } from "./observation.ts";
import { PYTHON, readCall } from "./tools.ts";

interface EpisodeSetting {
  readonly config: CodeReasoningConfig;
  readonly tools: readonly ToolSchema[];
  readonly runtime: CodeRuntime;
}

/**
 * The session is opened with the first cell, and given back before the grade, which opens another one for tests: no episode waits for an
 * interpreter while it holds one.
 */
export function codeEpisode(task: CodeTask, { config, tools, runtime }: EpisodeSetting): Episode {
  const limits = config.cell;
  let session: CodeSession | null = null;
  let numCells = 0;
  /** Of all cells and what was shown of them. */
  let history = hashJson([]);
  /** The cells whose names the session has. */
  let program: string[] = [];

  const runCell = async (code: string, signal: AbortSignal): Promise<Observation> => {
    if (numCells === config.maxCells) return errorObservation("cells", `${numCells} cells have been run, which is all; answer now`);
    numCells += 1;
    session ??= await runtime.open(signal);
    const outcome = await session.run({ code, limits, signal });
    const isKilled = outcome.error?.kind === "timeout" || outcome.error?.kind === "crashed";
    program = isKilled ? [] : [...program, code];
    const seen = observationOf(outcome, limits.outputBytes);
    history = hashJson([history, code, seen.text]);
    return seen;
  };
  const close = async () => {
    const held = session;
    session = null;
    await held?.close();
  };
  return {
    act: async (calls, signal) => {
      const seen: Observation[] = [];
      for (const call of calls) {
        const read = readCall(call, tools);
        if (read.tool === PYTHON) seen.push(await runCell(read.text, signal));
        else seen.push(read.tool === null ? errorObservation("format", read.why) : { text: "answered", isError: false });
      }
      return seen;
    },
    fingerprint: async () => history,
    grade: async ({ turns }, signal) => {
      await close();
      return await gradeCode({ task, turns, program, runtime, limits, signal });
    },
    close,
  };
}
