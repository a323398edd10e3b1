// What a child of ours is given of the shell: nothing that was meant for another program, and everything else unchanged.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { tooOldNode } from "../../../infra/setup/entry.mjs";
import { variable } from "../../../infra/setup/places.mjs";
import { childEnvironment, ignoredVariables } from "../../../infra/setup/shell.mjs";

const WORD = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,20}$/);
const VALUE = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== "");

/** Names that a program of ours would obey, and siblings of those that come in families. */
const MEANT_FOR_OTHERS = fc.oneof(
  WORD.map((word) => `TEMPORAL_${word}`).filter((name) => name !== "TEMPORAL_CLI"),
  fc
    .constantFrom("MLFLOW", "GUNICORN", "UVICORN", "FLASK", "TORCHELASTIC", "PET", "ACCELERATE", "OTEL")
    .chain((family) => WORD.map((word) => `${family}_${word}`)),
  fc.constantFrom("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHON_GIL"),
  fc.constantFrom("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "WEB_CONCURRENCY"),
  fc.constantFrom("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GOFLAGS", "GOOS", "GOROOT", "GOTOOLCHAIN", "TAR_OPTIONS"),
  fc.constantFrom("NODE_ENV", "NODE_PATH", "npm_config_omit", "NPM_CONFIG_OMIT", "npm_config_dry-run", "npm_config_global"),
  fc.constantFrom("PIP_USER", "PIP_TARGET", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY", "PIP_CONSTRAINT"),
  fc.constantFrom("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_TORCH_BACKEND", "UV_EXCLUDE_NEWER", "UV_REQUIRE_HASHES", "UV_PROJECT"),
);

/** About this machine: where things are, how registries are reached, what hardware may do. */
const ABOUT_THE_MACHINE = fc.oneof(
  fc.constantFrom("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_PRELOAD", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"),
  fc.constantFrom("CUDA_VISIBLE_DEVICES", "NCCL_SOCKET_IFNAME", "OMP_NUM_THREADS", "HF_HOME", "VLLM_ATTENTION_BACKEND"),
  fc.constantFrom("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_CORP_PASSWORD", "UV_CACHE_DIR", "PIP_INDEX_URL", "PIP_CERT", "PIP_FIND_LINKS"),
  fc.constantFrom("npm_config_registry", "npm_config_cache", "GOPROXY", "GOPRIVATE", "GOMODCACHE", "TEMPORAL_CLI", "OPENAI_API_KEY"),
  fc.constantFrom("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHON_VERSION", "GIT_SSL_CAINFO", "NO_COLOR", "DOCKER_HOST"),
  WORD.map((word) => `TURNWISE_${word}`),
  WORD.map((word) => `MY_${word}`),
);

describe("the environment of a child", () => {
  test("holds nothing that was meant for another program, and everything else as it was", () => {
    fc.assert(
      fc.property(fc.dictionary(MEANT_FOR_OTHERS, VALUE), fc.dictionary(ABOUT_THE_MACHINE, VALUE), (others, machine) => {
        expect(childEnvironment({}, { ...others, ...machine })).toEqual(machine);
      }),
    );
  });

  test("what is left out is named, and no value of it", () => {
    fc.assert(
      fc.property(fc.dictionary(MEANT_FOR_OTHERS, VALUE), fc.dictionary(ABOUT_THE_MACHINE, VALUE), (others, machine) => {
        const named = ignoredVariables({ ...others, ...machine });
        expect(named.map(({ name }) => name)).toEqual(Object.keys(others).sort());
        for (const entry of named) expect(Object.keys(entry).sort()).toEqual(["name", "of", "settings"]);
      }),
    );
  });

  test("ours is over the shell's, whatever the shell says", () => {
    fc.assert(
      fc.property(MEANT_FOR_OTHERS, VALUE, VALUE, (name, theirs, ours) => {
        expect(childEnvironment({ [name]: ours }, { [name]: theirs })).toEqual({ [name]: ours });
      }),
    );
  });

  test.each(["--require ./hook.js", "--max-old-space-size=99 -r x", "--inspect", "--inspect-brk=0", '--import "a b.mjs"'])(
    "NODE_OPTIONS with a preload or a debugger is another program's: %s",
    (NODE_OPTIONS) => expect(childEnvironment({}, { NODE_OPTIONS })).toEqual({}),
  );

  test.each(["--max-old-space-size=8192", "--use-openssl-ca", "--trace-warnings --stack-trace-limit=50"])(
    "NODE_OPTIONS about the machine is handed on: %s",
    (NODE_OPTIONS) => expect(childEnvironment({}, { NODE_OPTIONS })).toEqual({ NODE_OPTIONS }),
  );
});

describe("a proxy", () => {
  const PROXY = fc.constantFrom("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY");
  const HOSTS = fc.array(fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{1,4})?$/), { minLength: 1, maxLength: 3 });
  const excluded = (list: string | undefined) => (list ?? "").split(",");

  test("never stands before this machine, in either spelling, and what a person excludes stays excluded", () => {
    fc.assert(
      fc.property(PROXY, VALUE, fc.option(HOSTS), fc.option(HOSTS), (name, proxy, lower, upper) => {
        const given = {
          [name]: proxy,
          ...(lower === null ? {} : { no_proxy: lower.join(",") }),
          ...(upper === null ? {} : { NO_PROXY: upper.join(", ") }),
        };
        const { no_proxy, NO_PROXY, [name]: kept } = childEnvironment({}, given);
        expect(kept).toBe(proxy);
        const loopback = ["localhost", "127.0.0.1", "::1"];
        expect(excluded(no_proxy)).toEqual(expect.arrayContaining([...loopback, ...(lower ?? upper ?? [])]));
        expect(excluded(NO_PROXY)).toEqual(expect.arrayContaining([...loopback, ...(upper ?? lower ?? [])]));
      }),
    );
  });

  test("that is not there excludes nothing, and `*` stays the whole world", () => {
    expect(childEnvironment({}, { NO_PROXY: "a", http_proxy: "" })).toEqual({ NO_PROXY: "a", http_proxy: "" });
    expect(childEnvironment({}, { no_proxy: "*", http_proxy: "x" })).toEqual({ no_proxy: "*", NO_PROXY: "*", http_proxy: "x" });
  });
});

test("an empty variable counts as unset", () => {
  expect([variable("A", { A: "" }), variable("A", { A: "  " }), variable("A", {}), variable("A", { A: " b" })]).toEqual([
    undefined,
    undefined,
    undefined,
    " b",
  ]);
});

test("a Node that is too old for set-up is told from one that is not, with a next step", () => {
  for (const version of ["14.21.3", "16.20.2", "17.9.1"]) expect(tooOldNode(version)).toMatch(/^setup\.no-node: .*\n {2}next: /);
  for (const version of ["18.0.0", "22.18.0", "24.21.0", "100.1.0"]) expect(tooOldNode(version)).toBeNull();
});

describe("every program of ours", () => {
  const files = globSync("{src,infra,workers,activities,workflows}/**/*.{ts,mjs}", { cwd: REPOSITORY });
  const text = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");
  /** They are given the environment by their caller, or start the command line itself, which must see the whole shell. */
  const OTHERWISE = ["src/adapters/trainer-process/process-group.ts", "infra/setup/run.mjs"];

  test("that starts another one builds its environment in the one place, or in the one for Python that stands on it", () => {
    const starters = files.filter((path) => /from "(node:child_process|execa)"/.test(text(path)));
    expect(starters.length).toBeGreaterThan(8);
    expect(starters.filter((path) => !OTHERWISE.includes(path) && !/\b(child|python)Environment\(/.test(text(path)))).toEqual([]);
  });

  test("says to execa that the environment is the whole one", () => {
    const users = files.filter((path) => /from "execa"/.test(text(path)));
    expect(users.filter((path) => !text(path).includes("extendEnv: false"))).toEqual([]);
  });

  test("of the product reads the shell in one place, the settings", () => {
    const product = files.filter((path) => !path.startsWith("infra/"));
    const readers = product.filter((path) =>
      /process\??\.env\b|process\[|\benv\b[^;\n]*from "(node:)?process"|\} = process;/.test(text(path)),
    );
    expect(product.length).toBeGreaterThan(200);
    expect(readers).toEqual(["src/adapters/settings.ts"]);
    expect(text("src/adapters/settings.ts").match(/process\.env;/g)).toHaveLength(1);
  });

  test("hands no shell on as it is", () => {
    expect(files.filter((path) => text(path).includes("...process.env"))).toEqual([]);
  });
});
