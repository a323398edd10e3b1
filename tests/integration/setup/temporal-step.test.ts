// The order in which set-up looks for the Temporal CLI, with a program that answers like it, and a release server on loopback.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { copySetup, type SetupCopy } from "../../support/setup-copy.ts";

const ARCHIVE = `temporal_cli_1.8.2_${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}.tar.gz`;
const answersAs = (cli: string, server: string) => `#!/bin/sh\necho "temporal version ${cli} (Server ${server}, UI 2.50.1)"\n`;
const RIGHT = answersAs("1.8.2", "1.31.2");

let copy: SetupCopy;
let releases: Server | null = null;

beforeEach(() => {
  copy = copySetup();
});
afterEach(async () => {
  await new Promise((done) => (releases === null ? done(null) : releases.close(done)));
  releases = null;
  copy.remove();
});

/** No temporal and no go on PATH, and nobody at the release address, unless given. */
function step(env: NodeJS.ProcessEnv = {}) {
  return copy.run(["--only", "temporal"], {
    PATH: "/usr/bin:/bin",
    TEMPORAL_CLI: "",
    TURNWISE_TEMPORAL_RELEASES: "http://127.0.0.1:9",
    ...env,
  });
}

const linked = () => readFileSync(copy.path(".turnwise/bin/temporal"), "utf8");

async function serveRelease(binary: string, checksum?: string): Promise<string> {
  copy.write("release/temporal", binary, 0o755);
  execFileSync("tar", ["-czf", copy.path("archive"), "-C", copy.path("release"), "temporal"]);
  const archive = readFileSync(copy.path("archive"));
  const sha256 = checksum ?? createHash("sha256").update(archive).digest("hex");
  releases = createServer((request, response) => {
    if (request.url === "/v1.8.2/checksums.txt") response.end(`${"0".repeat(64)}  other.zip\n${sha256}  ${ARCHIVE}\n`);
    else if (request.url === `/v1.8.2/${ARCHIVE}`) response.end(archive);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => releases?.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(releases.address() as AddressInfo).port}`;
}

test("TEMPORAL_CLI of the right version is taken, and a second set-up says nothing", async () => {
  const TEMPORAL_CLI = copy.write("mine", RIGHT, 0o755);
  expect(await step({ TEMPORAL_CLI })).toMatchObject({ code: 0, output: expect.stringContaining("from TEMPORAL_CLI") });
  expect(linked()).toBe(RIGHT);
  expect(await step({ TEMPORAL_CLI })).toEqual({ code: 0, output: "" });
});

test("a wrong version is passed over, and the next place is looked at", async () => {
  const TEMPORAL_CLI = copy.write("old", answersAs("1.5.1", "1.29.1"), 0o755);
  copy.write("bin/temporal", RIGHT, 0o755);
  const result = await step({ TEMPORAL_CLI, PATH: `${copy.path("bin")}:/usr/bin:/bin` });
  expect(result).toMatchObject({ code: 0, output: expect.stringContaining("from PATH") });
});

test("the official download is taken when its checksum is the release's", async () => {
  const result = await step({ TURNWISE_TEMPORAL_RELEASES: await serveRelease(RIGHT) });
  expect(result).toMatchObject({ code: 0, output: expect.stringContaining("from the official download") });
  expect(linked()).toBe(RIGHT);
});

test("a download with another checksum is refused, and the failure tells everything that was tried", async () => {
  const TEMPORAL_CLI = copy.path("nowhere");
  const { code, output } = await step({ TEMPORAL_CLI, TURNWISE_TEMPORAL_RELEASES: await serveRelease(RIGHT, "1".repeat(64)) });
  expect(code).toBe(5);
  for (const part of ["setup.failed", "nowhere does not exist", `the release says ${"1".repeat(64)}`, "go is not on PATH", "next:"]) {
    expect(output).toContain(part);
  }
});

test("a binary that was cut short in the user cache is detected and fetched again", async () => {
  const TURNWISE_TEMPORAL_RELEASES = await serveRelease(RIGHT);
  await step({ TURNWISE_TEMPORAL_RELEASES });
  truncateSync(copy.path("cache/turnwise/temporal-1.8.2"), 10);
  const again = await step({ TURNWISE_TEMPORAL_RELEASES });
  expect(again).toMatchObject({ code: 0, output: expect.stringContaining("has changed") });
  expect(linked()).toBe(RIGHT);
});

test("a binary in the user cache whose bytes changed without changing what it says is fetched again", async () => {
  const TURNWISE_TEMPORAL_RELEASES = await serveRelease(RIGHT);
  await step({ TURNWISE_TEMPORAL_RELEASES });
  writeFileSync(copy.path("cache/turnwise/temporal-1.8.2"), `${RIGHT}# changed\n`);
  expect((await step({ TURNWISE_TEMPORAL_RELEASES })).output).toContain("from the official download");
  expect(linked()).toBe(RIGHT);
});
