// One question per kind of service: are you ready? Answers are quick and never throw.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { childEnvironment } from "../../../infra/setup/shell.mjs";
import { createKeepAliveFetch } from "../http/keep-alive-fetch.ts";
import { RETENTION_DAYS, SEARCH_ATTRIBUTES } from "./namespace.ts";
import { answers } from "./ports.ts";
import type { Readiness } from "./service-spec.ts";
import { OURS_ALONE } from "./temporal-cli.ts";

const run = promisify(execFile);
const TIMEOUT_MILLISECONDS = 5_000;
/** The services are on this machine: no proxy stands between, whatever the environment says. */
const fetchHere = createKeepAliveFetch();

/** Whether a service that was ready still answers; changes nothing. Services that announce themselves have no one to ask: true. */
export async function isHealthy(readiness: Readiness): Promise<boolean> {
  if (readiness.type !== "temporal") return isReady(readiness);
  const { binary, address } = readiness;
  return succeeds(binary, ["operator", "cluster", "health", "--address", address]);
}

/** Services that announce themselves have nothing to ask: for them, this is always true. */
export async function isReady(readiness: Readiness): Promise<boolean> {
  switch (readiness.type) {
    case "http":
      return respondsOk(readiness.url);
    case "temporal":
      return prepareNamespace(readiness);
    case "announced":
      return true;
  }
}

async function respondsOk(url: string): Promise<boolean> {
  try {
    return (await fetchHere(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) })).ok;
  } catch {
    return false;
  }
}

/** Sets retention and search attributes, which the server's own flags do only for a new database file, or not at all. Idempotent. */
async function prepareNamespace({ binary, address, namespace }: Extract<Readiness, { type: "temporal" }>): Promise<boolean> {
  if (!(await answers(Number(address.slice(address.lastIndexOf(":") + 1))))) return false;
  const operator = (...args: string[]) => succeeds(binary, ["operator", ...args, "--address", address, "--namespace", namespace]);
  const retention = ["--retention", `${RETENTION_DAYS}d`];
  const isThere = (await operator("namespace", "update", ...retention)) || (await operator("namespace", "create", ...retention));
  const attributes = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ["--name", name, "--type", type]);
  return isThere && (await operator("search-attribute", "create", ...attributes));
}

function succeeds(binary: string, args: readonly string[]): Promise<boolean> {
  return run(binary, [...args, ...OURS_ALONE], { timeout: TIMEOUT_MILLISECONDS, env: childEnvironment() }).then(
    () => true,
    () => false,
  );
}
