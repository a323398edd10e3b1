// The official download of the Temporal CLI: the release's archive, checked against the release's own list of checksums.
import { createWriteStream, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { sha256File } from "../files.mjs";
import * as places from "../places.mjs";
import { lastLines, run } from "../processes.mjs";

/** TURNWISE_TEMPORAL_RELEASES names a mirror. */
const RELEASES = places.variable("TURNWISE_TEMPORAL_RELEASES") ?? "https://github.com/temporalio/cli/releases/download";
const RELEASE = `${RELEASES}/v${places.TEMPORAL_VERSION}`;
const ARCHITECTURES = new Map([
  ["x64", "amd64"],
  ["arm64", "arm64"],
]);
const ANSWER_SECONDS = 6;
const DOWNLOAD_SECONDS = 300;

/**
 * @param {string} target where the binary goes
 * @param {(what: string) => void} say
 * @returns {Promise<string | null>} why it failed, or null
 */
export async function downloadTemporal(target, say) {
  const architecture = ARCHITECTURES.get(process.arch);
  if (architecture === undefined) return `there is none for ${process.platform} ${process.arch}`;
  const archive = `temporal_cli_${places.TEMPORAL_VERSION}_${process.platform}_${architecture}.tar.gz`;
  const folder = mkdtempSync(join(dirname(target), "temporal-download-"));
  try {
    say(`downloading ${archive}`);
    await fetchTo(`${RELEASE}/checksums.txt`, join(folder, "checksums.txt"));
    const wanted = checksumOf(readFileSync(join(folder, "checksums.txt"), "utf8"), archive);
    if (wanted === null) return `the release's checksums do not name ${archive}`;
    await fetchTo(`${RELEASE}/${archive}`, join(folder, archive));
    const found = await sha256File(join(folder, archive));
    if (found !== wanted) return `${archive} has sha256 ${found}, the release says ${wanted}`;
    const unpacked = await run("tar", ["-xzf", archive, "temporal"], { cwd: folder, timeoutSeconds: 120 });
    if (unpacked.code !== 0) return `tar ended with ${unpacked.code}:\n${lastLines(unpacked.output, 4)}`;
    renameSync(join(folder, "temporal"), target);
    return null;
  } catch (error) {
    return reason(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} list lines of "hash  name" @param {string} name @returns {string | null} */
export function checksumOf(list, name) {
  const line = list.split("\n").find((entry) => entry.trim().split(/\s+\*?/)[1] === name);
  return line?.trim().split(/\s+/)[0]?.toLowerCase() ?? null;
}

/** The first answer must come soon; the bytes may take longer. @param {string} url @param {string} path */
async function fetchTo(url, path) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), ANSWER_SECONDS * 1000);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(timer);
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    timer = setTimeout(() => abort.abort(), DOWNLOAD_SECONDS * 1000);
    await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), createWriteStream(path));
  } finally {
    clearTimeout(timer);
  }
}

/** @param {unknown} error */
function reason(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "AbortError") return "no answer in time";
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
