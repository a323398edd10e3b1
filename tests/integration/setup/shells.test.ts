// Set-up in another person's shell: links, variables and files that were meant for other programs, output that nobody can take.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, openSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeWheel } from "../../support/make-wheel.ts";
import { copySetup, type SetupCopy } from "../../support/setup-copy.ts";

let copy: SetupCopy;
beforeEach(() => {
  copy = copySetup();
});
afterEach(() => copy.remove());

function node(args: readonly string[], options: { env?: NodeJS.ProcessEnv; stdout?: number | "pipe" } = {}) {
  const stdio = ["ignore", options.stdout ?? "pipe", "pipe"] as const;
  return spawnSync(process.execPath, args, { env: { ...process.env, ...options.env }, stdio: [...stdio], encoding: "utf8", cwd: "/" });
}

describe("through a link", () => {
  beforeEach(() => {
    symlinkSync(copy.folder, copy.path("link"));
    symlinkSync(copy.path("infra/setup/main.mjs"), copy.path("set-up-by-another-name"));
    symlinkSync(copy.path("infra/setup/run.mjs"), copy.path("run-by-another-name"));
  });

  test.each(["infra/setup/main.mjs", "link/infra/setup/main.mjs", "link/link/infra/setup/main.mjs", "set-up-by-another-name"])(
    "%s --check says what is missing",
    (path) => {
      const { status, stdout } = node([copy.path(path), "--check"]);
      expect({ status, stdout }).toEqual({
        status: 5,
        stdout: expect.stringMatching(/^packages .*\npython .*there is no Python environment/m),
      });
    },
  );

  test("run.mjs is a program by another name, too", () => {
    expect(node([copy.path("run-by-another-name")]).stderr).toContain("run.mjs needs a file to run");
  });
});

/** A package of npm as a file, so that no registry is asked. */
function packed(name: string): string {
  copy.write(`${name}/package.json`, JSON.stringify({ name, version: "1.0.0", bin: `${name}.js` }));
  copy.write(`${name}/${name}.js`, "#!/usr/bin/env node\n");
  execFileSync("npm", ["pack", "--silent", "--pack-destination", copy.folder], { cwd: copy.path(name) });
  return `file:${name}-1.0.0.tgz`;
}

test.each([["--help"], ["--chekc"], ["x"], ["--only"], ["--only", "nothing"], ["--check", "--only", ""]])(
  "set-up that is asked for what there is not (%s) says its usage and does nothing",
  (...args) => {
    const { status, stderr } = node([copy.path("infra/setup/main.mjs"), ...args]);
    expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringMatching(/^usage: .*--only node\|packages/) });
  },
);

describe("npm packages are the whole lock file's", () => {
  beforeEach(() => {
    const [needed, tool, extra] = [packed("needed"), packed("tool"), packed("extra")];
    const dependencies = { dependencies: { needed }, devDependencies: { tool }, optionalDependencies: { extra } };
    copy.write("package.json", JSON.stringify({ name: "copy", version: "1.0.0", ...dependencies }));
    const env = { ...process.env, NODE_ENV: "" };
    execFileSync("npm", ["install", "--package-lock-only", "--offline", "--silent"], { cwd: copy.folder, env });
  });

  test.each([
    [{ NODE_ENV: "production" }],
    [{ npm_config_omit: "dev" }],
    [{ NPM_CONFIG_OMIT: "optional" }],
    [{ npm_config_production: "true" }],
    [{ npm_config_only: "prod" }],
    [{ npm_config_global: "true" }],
    [{ npm_config_dry_run: "true" }],
    [{ npm_config_package_lock: "false" }],
    [{ npm_config_bin_links: "false" }],
    [{ npm_config_workspace: "elsewhere" }],
  ])("%j", async (env) => {
    const { code, output } = await copy.run(["--only", "packages"], env);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("3 npm packages") });
    expect(output).toMatch(new RegExp(`^ {2}not taken from this shell: .*\\b${Object.keys(env)[0]}\\b`, "m"));
    expect(existsSync(copy.path("node_modules/.bin/tool"))).toBe(true);
  });

  test.each(["omit=dev", "omit[]=dev\nomit[]=optional", "production=true", "bin-links=false", "dry-run=true"])(
    "an .npmrc with %j",
    async (text) => {
      const npm_config_userconfig = copy.write("home/.npmrc", `${text}\n`);
      copy.write(".npmrc", `${text}\n`);
      const { code, output } = await copy.run(["--only", "packages"], { npm_config_userconfig });
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("3 npm packages") });
      expect(existsSync(copy.path("node_modules/.bin/tool"))).toBe(true);
    },
  );
});

describe("the Python environment", () => {
  const HOSTILE = {
    PYTHONHOME: "/nowhere",
    PYTHONPATH: "/nowhere",
    PYTHONSTARTUP: "/nowhere/start.py",
    PYTHONWARNINGS: "error",
    VIRTUAL_ENV: "/nowhere/venv",
    CONDA_PREFIX: "/nowhere/conda",
    PIP_USER: "1",
    PIP_REQUIRE_VIRTUALENV: "1",
    UV_SYSTEM_PYTHON: "1",
    UV_PYTHON: "3.6",
    UV_TORCH_BACKEND: "cpu",
    UV_EXCLUDE_NEWER: "2001-01-01",
    UV_PROJECT_ENVIRONMENT: "/nowhere/project",
    UV_DEFAULT_INDEX: "",
    LD_PRELOAD: "/nowhere/preloaded.so",
    TURNWISE_BASE_PYTHON: "",
    TURNWISE_TORCH: "",
  };

  test("is made where every Python, pip and uv variable names another one", async () => {
    copy.write("trainer/requirements.lock", makeWheel(copy.path("wheels"), "alpha", "1.0"));
    const registry = { UV_FIND_LINKS: copy.path("wheels"), UV_NO_INDEX: "1", UV_CACHE_DIR: copy.path("cache/uv") };
    const env = { ...HOSTILE, ...registry, TURNWISE_TORCH: "default" };
    const { code, output } = await copy.run(["--only", "python"], env);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("1 Python packages") });
    for (const name of ["PIP_USER", "UV_SYSTEM_PYTHON", "UV_EXCLUDE_NEWER"]) expect(output).toContain(name);
    expect((await copy.run(["--only", "python", "--check"], { ...env, TURNWISE_TORCH: "" })).code).toBe(0);
  });

  test("is not made with a torch that there is none of", async () => {
    copy.write("trainer/requirements.lock", makeWheel(copy.path("wheels"), "alpha", "1.0"));
    const env = { UV_FIND_LINKS: copy.path("wheels"), UV_NO_INDEX: "1", UV_CACHE_DIR: copy.path("cache/uv"), TURNWISE_TORCH: "rocm" };
    const { code, output } = await copy.run(["--only", "python"], env);
    expect({ code, output }).toEqual({
      code: 5,
      output: expect.stringMatching(/TURNWISE_TORCH is "rocm".*next: set it to cpu or default/s),
    });
  });

  test("is made by a folder's own uv settings as little as by a variable's", async () => {
    copy.write("trainer/requirements.lock", makeWheel(copy.path("wheels"), "alpha", "1.0"));
    copy.write("elsewhere/uv.toml", 'exclude-newer = "not a date"\n');
    const env = { UV_FIND_LINKS: copy.path("wheels"), UV_NO_INDEX: "1", UV_CACHE_DIR: copy.path("cache/uv"), TURNWISE_TORCH: "default" };
    const main = [copy.path("infra/setup/main.mjs"), "--only", "python"];
    const { status, stderr } = spawnSync(process.execPath, main, {
      cwd: copy.path("elsewhere"),
      env: { ...process.env, ...env },
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining("1 Python packages") });
  });
});

const RIGHT = '#!/bin/sh\necho "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)"\n';
const OLD = '#!/bin/sh\necho "temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)"\n';
const ONLY_TEMPORAL = ["--only", "temporal"];

test("an old temporal first on PATH, and one that only warns, are passed over for the right one behind them", async () => {
  copy.write("old/temporal", OLD, 0o755);
  copy.write("broken/temporal", "#!/bin/sh\nexit 3\n", 0o755);
  copy.write("right/temporal", RIGHT.replace("echo", "echo a warning >&2; echo"), 0o755);
  const PATH = ["old", "broken", "right"].map((name) => copy.path(name)).join(":");
  const env = { PATH: `${PATH}:/usr/bin:/bin`, TEMPORAL_CLI: "", TURNWISE_TEMPORAL_RELEASES: "http://127.0.0.1:9" };
  const { code, output } = await copy.run(ONLY_TEMPORAL, env);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("from PATH") });
  expect(readFileSync(copy.path(".turnwise/bin/temporal"), "utf8")).toContain("a warning");
});

describe("in a log", () => {
  let releases: Server;
  let url: string;
  beforeEach(async () => {
    releases = createServer(); // takes what is asked, and answers nothing
    await new Promise<void>((done) => releases.listen(0, "127.0.0.1", done));
    url = `http://127.0.0.1:${(releases.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    releases.closeAllConnections();
    releases.close();
  });

  test("a step says that it begins while it is at work, in a line of its own", async () => {
    const child = copy.start(ONLY_TEMPORAL, { PATH: "/usr/bin:/bin", TEMPORAL_CLI: "", TURNWISE_TEMPORAL_RELEASES: url });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((done) => releases.once("request", done));
    expect(said).toMatch(/^ {2}temporal {2}there is no Temporal CLI 1\.8\.2 …\n/m);
    const ended = new Promise((done) => child.once("close", done));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
  });
});

describe.runIf(existsSync("/dev/full"))("output that nobody can take", () => {
  test("does not keep set-up from its work", async () => {
    copy.write("bin/temporal", RIGHT, 0o755);
    const full = openSync("/dev/full", "w");
    const env = { ...process.env, PATH: `${copy.path("bin")}:/usr/bin:/bin`, XDG_CACHE_HOME: copy.path("cache"), TEMPORAL_CLI: "" };
    const main = [copy.path("infra/setup/main.mjs"), ...ONLY_TEMPORAL];
    expect(spawnSync(process.execPath, main, { env, stdio: ["ignore", full, full] }).status).toBe(0);
    expect(readFileSync(copy.path(".turnwise/bin/temporal"), "utf8")).toBe(RIGHT);
  });

  test("leaves the exit code to tell what --check would have", () => {
    const { status, stderr } = node([copy.path("infra/setup/main.mjs"), "--check"], { stdout: openSync("/dev/full", "w") });
    expect({ status, stderr }).toEqual({ status: 5, stderr: "" });
  });
});
