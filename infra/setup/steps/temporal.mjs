// The Temporal CLI with its dev server, one version for every route. In this order: TEMPORAL_CLI, PATH, the user cache,
// the official download (checked against the release's own checksums), a build from Go's module proxy (pinned by go.sum).
import { chmodSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { readJson, sha256File, sizeOf, writeJson } from "../files.mjs";
import { takeLock } from "../lock.mjs";
import * as places from "../places.mjs";
import { lastLines, run } from "../processes.mjs";
import { findPython } from "../python/interpreter.mjs";
import { SetupError } from "../step.mjs";
import { buildTemporal } from "../temporal/build.mjs";
import { downloadTemporal } from "../temporal/download.mjs";

const STAMP = join(places.STAMPS, "temporal.json");

/** @type {import("../step.mjs").Step} */
export const temporalStep = {
  name: "temporal",
  missing() {
    const stamp = readJson(STAMP);
    if (stamp?.version !== places.TEMPORAL_VERSION) return `there is no Temporal CLI ${places.TEMPORAL_VERSION}`;
    const wish = places.variable("TEMPORAL_CLI");
    if (wish !== undefined && stamp.wish !== wish) return "TEMPORAL_CLI has changed";
    const stat = statSync(places.TEMPORAL_BINARY, { throwIfNoEntry: false });
    if (stat === undefined) return "the Temporal CLI is gone";
    if (stat.size !== stamp.size || stat.mtimeMs !== stamp.modified) return "the Temporal CLI has changed";
    return null;
  },
  async make(say) {
    rmSync(STAMP, { force: true });
    const { path, source } = await obtainAlone(say);
    mkdirSync(dirname(places.TEMPORAL_BINARY), { recursive: true });
    const link = `${places.TEMPORAL_BINARY}.${process.pid}.tmp`;
    rmSync(link, { force: true });
    symlinkSync(path, link);
    renameSync(link, places.TEMPORAL_BINARY);
    const stat = statSync(path);
    writeJson(STAMP, {
      version: places.TEMPORAL_VERSION,
      size: stat.size,
      modified: stat.mtimeMs,
      wish: places.variable("TEMPORAL_CLI") ?? null,
      source,
    });
    return `Temporal ${places.TEMPORAL_VERSION} from ${source}`;
  },
};

/** The user cache belongs to all checkouts: what one of them fetches or builds, the others wait for. @param {(what: string) => void} say */
async function obtainAlone(say) {
  const { path: python } = await findPython();
  const lock = join(places.userCache(), "temporal.lock");
  const { giveBack } = await takeLock(lock, { python, onWait: (holder) => say(`${holder} gets it for another checkout: waiting`) });
  try {
    return await obtain(say);
  } finally {
    giveBack();
  }
}

/** @param {(what: string) => void} say @returns {Promise<{ path: string, source: string }>} */
async function obtain(say) {
  /** @type {string[]} */
  const tried = [];
  for (const { path, source } of present()) {
    const wrong = await whyWrong(path, source);
    if (wrong === null) {
      if (source === "the user cache") await stampCached(source);
      return { path, source };
    }
    tried.push(`${source}: ${wrong}`);
  }
  for (const [source, make] of /** @type {const} */ ([
    ["the official download", downloadTemporal],
    ["a Go build", buildTemporal],
  ])) {
    const failure = await intoCache(source, (target) => make(target, say));
    if (failure === null) return { path: cached(), source };
    tried.push(`${source}: ${failure}`);
  }
  throw new SetupError(`could not get the Temporal CLI ${places.TEMPORAL_VERSION}`, {
    tried,
    next: `download temporal ${places.TEMPORAL_VERSION} (github.com/temporalio/cli, Releases) and name it in TEMPORAL_CLI, or install Go 1.21 or newer; then run npm run setup again`,
  });
}

function cached() {
  return join(places.userCache(), `temporal-${places.TEMPORAL_VERSION}`);
}

/** Binaries that may already be there, in order. @returns {{ path: string, source: string }[]} */
function present() {
  const wish = places.variable("TEMPORAL_CLI");
  const onPath = (process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => (folder === "" ? [] : join(folder, "temporal")));
  const found = onPath.filter((path) => (sizeOf(path) ?? 0) > 0 && realpathSync(path) !== cached());
  return [
    ...(wish ? [{ path: wish, source: "TEMPORAL_CLI" }] : []),
    ...found.map((path) => ({ path, source: "PATH" })),
    ...(sizeOf(cached()) !== null ? [{ path: cached(), source: "the user cache" }] : []),
  ];
}

/** Why a binary will not do, or null. One in the user cache must also still have its stamped hash. @param {string} path @param {string} source */
async function whyWrong(path, source) {
  if (sizeOf(path) === null) return `${path} does not exist`;
  if (source === "the user cache") {
    const stamp = readJson(`${path}.json`);
    if (stamp !== null && stamp.sha256 !== (await sha256File(path))) return "its hash is not the stamped one";
  }
  const answer = await run(path, ["--version"], { timeoutSeconds: 30 });
  if (answer.code !== 0) return `${path} does not run:\n${lastLines(answer.output, 3)}`;
  return isWanted(answer.answer) ? null : `${path} is "${answer.output.trim()}", wanted ${places.TEMPORAL_VERSION}`;
}

/** A build without version flags calls itself 0.0.0-DEV; its server version tells. @param {string} says */
export function isWanted(says) {
  const [cli, server] = [/version (\S+)/.exec(says)?.[1], /Server ([\d.]+)/.exec(says)?.[1]];
  return server === places.TEMPORAL_SERVER_VERSION && (cli === places.TEMPORAL_VERSION || cli === "0.0.0-DEV");
}

/**
 * Makes a binary under a temporary name, tries it, and only then gives it its name in the user cache.
 *
 * @param {string} source
 * @param {(target: string) => Promise<string | null>} make answers why it failed, or null
 * @returns {Promise<string | null>} why it failed, or null
 */
async function intoCache(source, make) {
  const temporary = `${cached()}.${process.pid}.tmp`;
  mkdirSync(dirname(temporary), { recursive: true });
  try {
    const failure = (await make(temporary)) ?? (await whyWrong(temporary, source));
    if (failure !== null) return failure;
    chmodSync(temporary, 0o755);
    rmSync(`${cached()}.json`, { force: true });
    renameSync(temporary, cached());
    await stampCached(source);
    return null;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Written last, and once: from then on the file must keep its hash. @param {string} source */
async function stampCached(source) {
  const path = `${cached()}.json`;
  if (readJson(path) === null) writeJson(path, { version: places.TEMPORAL_VERSION, source, sha256: await sha256File(cached()) });
}
