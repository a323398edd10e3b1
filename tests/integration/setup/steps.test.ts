// Steps of set-up on small inputs: npm packages, the Python environment, and two set-ups at once.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { completePackageLock, missingOptionalPackages } from "../../../infra/checks/complete-package-lock.ts";
import { takeLock } from "../../../infra/setup/lock.mjs";
import { processStart } from "../../../infra/setup/processes.mjs";
import { findPython } from "../../../infra/setup/python/interpreter.mjs";
import { withoutTorch } from "../../../infra/setup/python/lock.mjs";
import { makeWheel } from "../../support/make-wheel.ts";
import { copySetup, type SetupCopy } from "../../support/setup-copy.ts";

let copy: SetupCopy;
beforeEach(() => {
  copy = copySetup();
});
afterEach(() => copy.remove());

/** Two packages in a folder of wheels, and a cache of their own: no network, and nobody else's cache to spoil. */
let alpha: string;
let beta: string;
beforeEach(() => {
  alpha = makeWheel(copy.path("wheels"), "alpha", "1.0");
  beta = makeWheel(copy.path("wheels"), "beta", "2.0");
});
const python = (...args: string[]) =>
  copy.run(["--only", "python", ...args], { UV_FIND_LINKS: copy.path("wheels"), UV_NO_INDEX: "1", UV_CACHE_DIR: copy.path("cache/uv") });
const site = () => join(copy.path(".turnwise/python/lib"), readdirSync(copy.path(".turnwise/python/lib"))[0] ?? "", "site-packages");
const imports = (name: string) =>
  execFileSync(copy.path(".turnwise/python/bin/python"), ["-c", `import ${name}; print(${name}.VERSION)`])
    .toString()
    .trim();

test("the Python environment holds what the lock says, and a second set-up says nothing", async () => {
  copy.write("trainer/requirements.lock", alpha);
  expect(await python()).toMatchObject({ code: 0, output: expect.stringContaining("1 Python packages") });
  expect(imports("alpha")).toBe("1.0");
  expect(await python()).toEqual({ code: 0, output: "" });
});

test("a changed lock adds and removes packages", async () => {
  copy.write("trainer/requirements.lock", alpha);
  await python();
  copy.write("trainer/requirements.lock", beta);
  expect(await python()).toMatchObject({ code: 0, output: expect.stringContaining("requirements.lock has changed") });
  expect(imports("beta")).toBe("2.0");
  expect(existsSync(join(site(), "alpha"))).toBe(false);
});

test("an environment whose set-up was interrupted is made whole, cut files included", async () => {
  copy.write("trainer/requirements.lock", alpha);
  await python();
  rmSync(copy.path(".turnwise/setup/python.json"));
  truncateSync(join(site(), "alpha/__init__.py"), 5); // and with it uv's cache, which shares the file
  expect(await python()).toMatchObject({ code: 0, output: expect.stringContaining("unfinished") });
  expect(imports("alpha")).toBe("1.0");
});

test("a package whose hash is not the lock's is refused, and the failure says what to do", async () => {
  copy.write("trainer/requirements.lock", alpha.replace(/sha256:.{64}/, `sha256:${"0".repeat(64)}`));
  const { code, output } = await python();
  expect(code).toBe(5);
  expect(output).toMatch(/setup\.failed.*tried:.*[Hh]ash.*next:/s);
  expect((await python("--check")).code).toBe(5);
});

test("npm packages are installed once, and a damaged one is installed again", async () => {
  copy.write("gamma/package.json", JSON.stringify({ name: "gamma", version: "3.0.0" }));
  const npm = (folder: string, ...args: string[]) => execFileSync("npm", [...args, "--offline", "--silent"], { cwd: copy.path(folder) });
  npm("gamma", "pack", "--pack-destination", copy.folder);
  copy.write("package.json", JSON.stringify({ name: "copy", version: "1.0.0", dependencies: { gamma: "file:gamma-3.0.0.tgz" } }));
  npm(".", "install", "--package-lock-only");
  const step = () => copy.run(["--only", "packages"]);
  expect(await step()).toMatchObject({ code: 0, output: expect.stringContaining("1 npm packages") });
  expect(await step()).toEqual({ code: 0, output: "" });
  rmSync(copy.path("node_modules/gamma/package.json"));
  expect(await step()).toMatchObject({ code: 0, output: expect.stringContaining("gamma is damaged") });
  rmSync(copy.path("node_modules/.package-lock.json"));
  expect(await step()).toMatchObject({ code: 0, output: expect.stringContaining("missing or unfinished") });
});

test("a server's Python is an environment of its own, from a lock of its own", async () => {
  copy.write("trainer/requirements.lock", alpha);
  copy.write("examples/openenv/requirements.lock", beta);
  const offline = { UV_FIND_LINKS: copy.path("wheels"), UV_NO_INDEX: "1", UV_CACHE_DIR: copy.path("cache/uv") };
  const server = () => copy.run(["--only", "openenv"], offline);
  expect(await server()).toMatchObject({ code: 0, output: expect.stringContaining("1 Python packages of an OpenEnv server") });
  expect(await server()).toEqual({ code: 0, output: "" });
  expect(existsSync(copy.path(".turnwise/python"))).toBe(false);
  expect((await python()).code).toBe(0);
  expect(imports("alpha")).toBe("1.0");
  expect(() => imports("beta")).toThrow();
  copy.write("examples/openenv/requirements.lock", alpha);
  expect(await server()).toMatchObject({ code: 0, output: expect.stringContaining("requirements.lock has changed") });
});

test("two set-ups at once do the work once", async () => {
  copy.write("trainer/requirements.lock", alpha);
  const results = await Promise.all([python(), python(), python()]);
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(results.filter(({ output }) => output.includes("1 Python packages"))).toHaveLength(1);
});

test("a process that has ended has no start time", () => {
  expect(processStart(process.pid)).not.toBeNull();
  expect(processStart(2 ** 22 + 1)).toBeNull();
});

test("an interrupted set-up gives its lock back, and the next one finishes the work", async () => {
  copy.write("trainer/requirements.lock", alpha);
  const child = copy.start(["--only", "python"], { UV_NO_INDEX: "1", UV_CACHE_DIR: copy.path("cache/uv") });
  while (!existsSync(copy.path(".turnwise/setup.lock"))) await sleep(10);
  child.kill("SIGINT");
  expect(await new Promise((done) => child.once("close", done))).toBe(130);
  const { path } = await findPython();
  (await takeLock(copy.path(".turnwise/setup.lock"), { python: path, onWait: () => expect.fail("nobody should hold it") })).giveBack();
  expect((await python()).code).toBe(0);
});

test("lock files name versions and hashes, and no host", () => {
  const locks = ["trainer/requirements.lock", "examples/openenv/requirements.lock", "infra/setup/uv.lock.txt"];
  for (const path of [...locks, "package-lock.json", "infra/setup/node/package-lock.json"]) {
    const text = readFileSync(join(REPOSITORY, path), "utf8");
    const addresses = text.split("\n").filter((line) => /"resolved":|^\s*(--(extra-)?index-url|--find-links)|@ https?:/.test(line));
    expect(addresses, path).toEqual([]);
  }
});

test("for the CPU build of torch, the lock loses torch and its CUDA packages and nothing else", () => {
  const lock = readFileSync(join(REPOSITORY, "trainer/requirements.lock"), "utf8");
  const names = (text: string) => [...text.matchAll(/^([a-z0-9-]+)==/gm)].map((match) => match[1] ?? "");
  const kept = new Set(names(withoutTorch(lock)));
  const dropped = names(lock).filter((name) => !kept.has(name));
  expect(dropped).toContain("torch");
  expect(dropped.filter((name) => !/^(torch|triton|nvidia-.*|cuda-.*)$/.test(name))).toEqual([]);
  expect([...kept].filter((name) => /torch|nvidia|cuda|triton/.test(name))).toEqual([]);
});

test("package-lock.json holds the binary packages of every platform, or `npm ci` would refuse it", () => {
  const lock = JSON.parse(readFileSync(join(REPOSITORY, "package-lock.json"), "utf8"));
  expect(missingOptionalPackages(lock)).toEqual([]);
});

test("a lock that lacks a platform is completed with what its parent asks for", () => {
  const parent = {
    version: "1.0.0",
    dev: true,
    optionalDependencies: { "@a/b-linux-x64-musl": "1.0.0", "@a/b-win32-arm64-msvc": "1.0.0" },
  };
  const { packages } = completePackageLock({ packages: { "node_modules/@a/b": parent } });
  expect(packages).toEqual({
    "node_modules/@a/b": parent,
    "node_modules/@a/b-linux-x64-musl": { version: "1.0.0", cpu: ["x64"], libc: ["musl"], os: ["linux"], dev: true, optional: true },
    "node_modules/@a/b-win32-arm64-msvc": { version: "1.0.0", cpu: ["arm64"], os: ["win32"], dev: true, optional: true },
  });
});

test("what set-up has done is checked by looking alone: nothing is started, nothing is said", async () => {
  const env = { HOME: process.env["HOME"], PATH: "/nowhere" };
  expect(execFileSync(process.execPath, ["infra/setup/main.mjs"], { cwd: REPOSITORY, env, encoding: "utf8" })).toBe("");
});
