// A campaign in a shell that is set up for other work: another Temporal server, another Python, another job's ranks, dead proxies, all at once.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { freePorts } from "#adapters/services/ports.ts";
import { markedProcesses } from "#adapters/services/process-identity.ts";
import { readStack, stopStack } from "#adapters/services/stack.ts";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { codeVersion } from "#adapters/versions.ts";
import { checkCampaign, createCampaign } from "#application/campaign/create-campaign.ts";
import { openRecord } from "#application/record.ts";
import { QUICKSTART, SMALL } from "./stack-campaign.ts";

const MINUTE = 60_000;
const NOWHERE = "http://127.0.0.1:9";
const folder = mkdtempSync(join(tmpdir(), "turnwise-shell-"));
const home = join(folder, "home");

function write(path: string, text: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  return join(folder, path);
}

/** Each would break the stack by itself, were it taken. */
const MEANT_FOR_OTHERS = {
  TEMPORAL_ADDRESS: "cloud.example.com:7233",
  TEMPORAL_NAMESPACE: "theirs",
  TEMPORAL_API_KEY: "secret-of-theirs",
  TEMPORAL_TLS: "true",
  TEMPORAL_TLS_CLIENT_CERT_PATH: "/nowhere/cert.pem",
  TEMPORAL_PROFILE: "theirs",
  TEMPORAL_CONFIG_FILE: "/nowhere/temporal.toml",
  TEMPORAL_ENV: "theirs",
  PYTHONHOME: "/nowhere",
  PYTHONPATH: write("python/mlflow/__init__.py", "raise SystemExit('another mlflow')\n").replace("/mlflow/__init__.py", ""),
  PYTHONWARNINGS: "error",
  PYTHONOPTIMIZE: "2",
  MLFLOW_TRACKING_URI: NOWHERE,
  MLFLOW_BACKEND_STORE_URI: "postgresql://nobody@127.0.0.1:9/nothing",
  MLFLOW_SERVER_ALLOWED_HOSTS: "mlflow.example.com",
  GUNICORN_CMD_ARGS: "--bind 127.0.0.1:9",
  UVICORN_PORT: "9",
  WEB_CONCURRENCY: "many",
  RANK: "0",
  LOCAL_RANK: "0",
  WORLD_SIZE: "2",
  LOCAL_WORLD_SIZE: "2",
  MASTER_ADDR: "127.0.0.1",
  MASTER_PORT: "9",
  OTEL_TRACES_EXPORTER: "otlp",
  GIT_DIR: "/nowhere/.git",
  NODE_PATH: "/nowhere",
  // It lets the command line pass, and ends whatever outlives the shell.
  NODE_OPTIONS: `--require ${write("preload.cjs", "if (/workers|supervise/.test(process.argv[1] ?? '')) process.exit(9);\n")}`,
};

const OTHERWISE_ODD = {
  HOME: folder,
  NODE_ENV: "production",
  NODE_USE_ENV_PROXY: "1",
  VIRTUAL_ENV: "/nowhere/venv",
  CONDA_PREFIX: "/nowhere/conda",
  TURNWISE_NAMESPACE: "",
  TURNWISE_TEMPORAL_ADDRESS: "",
  TURNWISE_LOG_LEVEL: "",
  TURNWISE_TAU_BENCH: "",
  ...Object.fromEntries(["http", "https", "grpc", "all"].map((scheme) => [`${scheme}_proxy`, NOWHERE])),
  ...Object.fromEntries(["HTTP", "HTTPS", "GRPC", "ALL"].map((scheme) => [`${scheme}_PROXY`, NOWHERE])),
};

let ports: Awaited<ReturnType<typeof freePorts>>;
beforeAll(async () => {
  write(".config/temporalio/temporal.toml", '[profile.default]\naddress = "cloud.example.com:7233"\napi_key = "secret-of-theirs"\n');
  write(
    ".config/temporalio/temporal.yaml",
    "env:\n  default:\n    address: cloud.example.com:7233\n    tls: 'true'\n    db-filename: /nowhere/db\n",
  );
  ports = await freePorts();
});
afterAll(async () => {
  await stopStack(home);
  rmSync(folder, { recursive: true, force: true });
});

function turnwise(...args: readonly string[]) {
  const env = {
    ...MEANT_FOR_OTHERS,
    ...OTHERWISE_ODD,
    NO_COLOR: "1",
    TURNWISE_HOME: home,
    TURNWISE_TEMPORAL_PORT: String(ports.temporal),
    TURNWISE_TEMPORAL_UI_PORT: String(ports.temporalUi),
    TURNWISE_MLFLOW_PORT: String(ports.mlflow),
    TURNWISE_POLICY_PORT: String(ports.policy),
  };
  return execa(join(REPOSITORY, "turnwise"), args, { cwd: folder, env, reject: false, timeout: 6 * MINUTE });
}

test(
  "the stack comes up, a campaign runs to its end and into MLflow, and every variable that was not taken is named",
  async () => {
    const doctor = await turnwise("doctor", "--json");
    const { findings } = JSON.parse(doctor.stdout) as { findings: { part: string; state: string }[] };
    const ignored = findings.filter(({ state }) => state === "ignored").map(({ part }) => part);
    expect(ignored).toEqual(expect.arrayContaining([...Object.keys(MEANT_FOR_OTHERS), "NODE_ENV", "temporal settings"]));
    expect(doctor.stdout).not.toContain("secret-of-theirs");

    const up = await turnwise("up");
    expect({ code: up.exitCode, said: up.stderr }).toEqual({ code: 0, said: expect.stringContaining("not taken from this shell: ") });
    for (const name of Object.keys(MEANT_FOR_OTHERS)) expect(up.stderr).toContain(name);
    expect(up.stderr).not.toContain("secret-of-theirs");

    const overrides = SMALL.flatMap((override) => ["--set", override]);
    const campaign = await turnwise("campaign", "start", QUICKSTART, "--name", "elsewhere", "--watch", ...overrides);
    expect({ code: campaign.exitCode, said: campaign.stderr }).toEqual({ code: 0, said: "" });
    const { codeVersion: recorded } = JSON.parse(readFileSync(join(home, "record/campaigns/elsewhere/campaign.json"), "utf8"));
    expect(recorded).toBe(await codeVersion());

    await readStack(home)?.waitUntilReady("mlflow", 120);
    const { endpoints } = JSON.parse((await turnwise("status", "--json")).stdout);
    expect(endpoints).toMatchObject({ namespace: "default", temporalAddress: `127.0.0.1:${ports.temporal}` });
    expect((await turnwise("tracking", "rebuild")).exitCode).toBe(0);
    expect((await turnwise("down")).exitCode).toBe(0);
    expect(markedProcesses(home)).toEqual([]);
  },
  10 * MINUTE,
);

test("a name that is taken is told before anything is started", async () => {
  const record = openRecord(readSettings({ TURNWISE_HOME: home }));
  const checked = await checkCampaign(await loadCampaignFile(QUICKSTART, []), readSettings({ TURNWISE_HOME: home }), { mustReach: true });
  await createCampaign(record, "taken", checked);
  const start = await turnwise("campaign", "start", QUICKSTART, "--name", "taken", "--set", "seed=2");
  expect(start).toMatchObject({ exitCode: 4, stdout: "", stderr: expect.stringMatching(/^store\.conflict .*seed/) });
  expect(readStack(home)).toBeNull();
});
