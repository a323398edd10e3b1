// A campaign's environment in a file of the user's own (`type: module`): imported, hashed, and held to deadlines.
import { readFile, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CampaignError, FEW_TRIES } from "#core/errors.ts";
import { type LoadedModule, MODULE_SECONDS } from "#environments/module/loaded-module.ts";
import { REPOSITORY } from "../settings.ts";
import { importModule, placeOf } from "./import-module.ts";
import type { Place } from "./place.ts";

const MEND = "mend it and try it with: turnwise env check FILE (a campaign keeps to the file that it began with; start another one)";

/**
 * Imports the file as it is now. `path`: absolute, or relative to the repository.
 *
 * throws  config.file-missing; environment.failed with file and line when it does not load; environment.timeout
 */
export async function loadModule(path: string, seconds: number = MODULE_SECONDS.load): Promise<LoadedModule> {
  const file = await realFile(resolve(REPOSITORY, path));
  const { call, callNow } = callsOf(file);
  const { exported, sha256 } = await call("loading", () => importModule(file), seconds);
  return { path: named(file), sha256, exported, call, callNow, readFile: (name) => readFile(resolve(dirname(file), name)) };
}

async function realFile(path: string): Promise<string> {
  return await realpath(path).catch((cause: unknown) => {
    throw new CampaignError("config.file-missing", `there is no environment module ${path}`, {
      cause,
      next: "correct environment.path: it is relative to the campaign file where it begins with ./ or ../, else to the repository",
    });
  });
}

function callsOf(file: string): Pick<LoadedModule, "call" | "callNow"> {
  const blamed = (what: string, error: unknown) => (error instanceof CampaignError ? error : failureIn(file, what, error));
  return {
    async call(what, action, seconds) {
      try {
        const answer = (async () => await action())();
        return await (seconds === undefined ? answer : inTime(answer, seconds, `${named(file)} gave no answer to ${what}`));
      } catch (error) {
        throw blamed(what, error);
      }
    },
    callNow(what, action) {
      try {
        return action();
      } catch (error) {
        throw blamed(what, error);
      }
    },
  };
}

async function inTime<Answer>(answer: Promise<Answer>, seconds: number, what: string): Promise<Answer> {
  const stop = new AbortController();
  answer.catch(() => {}); // of what comes too late nobody waits
  const timeout = delay(seconds * 1000, undefined, { signal: stop.signal }).then(() => {
    throw new CampaignError("environment.timeout", `${what} within ${seconds} s`, {
      maxTries: FEW_TRIES,
      next: "see what it waits for: a promise that nothing resolves, a server that does not answer",
    });
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    stop.abort();
    timeout.catch(() => {});
  }
}

function failureIn(file: string, what: string, error: unknown): CampaignError {
  const place = placeOf(error) ?? { path: file, line: null, column: null };
  return new CampaignError("environment.failed", `${written(place)}: ${what} throws ${described(error)}`, { cause: error, next: MEND });
}

/** As an editor opens it. */
const written = ({ path, line, column }: Place): string => [named(path), line, column].filter((part) => part !== null).join(":");

function described(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return `${JSON.stringify(error) ?? String(error)}, which is no Error and so has no line`;
}

/** From the repository where it lies in there, else absolute. */
function named(path: string): string {
  const inside = relative(REPOSITORY, path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : join(inside);
}
