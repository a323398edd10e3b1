// Building the Temporal CLI from Go's module proxy: our own module, so that its replace directive counts. Minutes, and 3 GB of caches.
import { join } from "node:path";
import * as places from "../places.mjs";
import { lastLines, run } from "../processes.mjs";
import { childEnvironment } from "../shell.mjs";

/** Any Go from here on fetches the toolchain that go.mod names. */
const MINIMUM_GO = [1, 21];

/**
 * @param {string} target where the binary goes
 * @param {(what: string) => void} say
 * @returns {Promise<string | null>} why it failed, or null
 */
export async function buildTemporal(target, say) {
  const go = await run("go", ["version"], { timeoutSeconds: 20 });
  if (go.code === null) return "go is not on PATH";
  if (go.code !== 0 || !places.atLeast(places.versionIn(go.answer), MINIMUM_GO))
    return `${go.output.trim()} is too old, wanted ${MINIMUM_GO.join(".")}`;
  say("building from source, 4 to 8 minutes the first time");
  const version = `-X github.com/temporalio/cli/internal/temporalcli.Version=${places.TEMPORAL_VERSION}`;
  const build = [
    "build",
    "-trimpath",
    "-mod=readonly",
    `-ldflags=-s -w ${version}`,
    "-o",
    target,
    "github.com/temporalio/cli/cmd/temporal",
  ];
  const result = await run("go", build, {
    cwd: join(places.REPOSITORY, "infra", "temporal-cli"),
    // Said in full, over what `go env -w` has written for other builds.
    env: childEnvironment({
      CGO_ENABLED: "0",
      GOFLAGS: "",
      GO111MODULE: "on",
      GOOS: process.platform,
      GOARCH: process.arch === "x64" ? "amd64" : process.arch,
      GOTOOLCHAIN: "auto",
      GOWORK: "off",
    }),
    onLine: (line) => say(`go build: ${line}`),
  });
  return result.code === 0 ? null : `go build ended with ${result.code}:\n${lastLines(result.output)}`;
}
