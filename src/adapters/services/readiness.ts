// One question per kind of service: are you ready? Answers are quick and never throw.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { RETENTION_DAYS, SEARCH_ATTRIBUTES } from "./namespace.ts";
import { answers } from "./ports.ts";
import type { Readiness } from "./service-spec.ts";

const run = promisify(execFile);
const TIMEOUT_MILLISECONDS = 5_000;

/** Services that announce themselves have nothing to ask: for them, this is always true. */
export async function isReady(readiness: Readiness): Promise<boolean> {
  switch (readiness.type) {
    case "http":
      return isHealthy(readiness.url);
    case "temporal":
      return prepareNamespace(readiness);
    case "announced":
      return true;
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) })).ok;
  } catch {
    return false;
  }
}

/** Sets retention and search attributes, which the server's own flags do only for a new database file, or not at all. Idempotent. */
async function prepareNamespace({ binary, address, namespace }: Extract<Readiness, { type: "temporal" }>): Promise<boolean> {
  if (!(await answers(Number(address.slice(address.lastIndexOf(":") + 1))))) return false;
  const operator = (...args: string[]) =>
    run(binary, ["operator", ...args, "--address", address, "--namespace", namespace], { timeout: TIMEOUT_MILLISECONDS }).then(
      () => true,
      () => false,
    );
  const retention = ["--retention", `${RETENTION_DAYS}d`];
  const isThere = (await operator("namespace", "update", ...retention)) || (await operator("namespace", "create", ...retention));
  const attributes = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ["--name", name, "--type", type]);
  return isThere && (await operator("search-attribute", "create", ...attributes));
}
