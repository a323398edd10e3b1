// The services of a local stack: what they are called, how they start, when they are ready. Everything listens on loopback only.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GRACE } from "#contracts/grace-periods.ts";
import { PYTHON_BINARY, TEMPORAL_BINARY, TEMPORAL_VERSION } from "../../../infra/setup/places.mjs";
import { COMPILED, TRAINER_SOURCE } from "../../../infra/setup/python/our-python.mjs";
import { REPOSITORY } from "../settings.ts";
import { SEARCH_ATTRIBUTES } from "./namespace.ts";
import { addressesOf, type StackPorts } from "./ports.ts";
import type { Endpoints, ServiceSpec, StackPlan } from "./service-spec.ts";
import { servicesFolder } from "./state.ts";
import { OURS_ALONE } from "./temporal-cli.ts";

export const SERVICE_NAMES = ["temporal", "mlflow", "policy", "control", "rollout", "training"] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export interface PlanOptions {
  readonly home: string;
  readonly ports: StackPorts;
  readonly namespace: string;
  readonly services: readonly ServiceName[];
  /** Where the services that are left out run instead. */
  readonly elsewhere: Partial<Endpoints>;
}

export function planStack({ home, ports, namespace, services, elsewhere }: PlanOptions): StackPlan {
  const endpoints: Endpoints = {
    ...addressesOf(ports),
    namespace,
    ...(services.includes("temporal") ? {} : pick(elsewhere, "temporalAddress", "temporalUiUrl")),
    ...(services.includes("mlflow") ? {} : pick(elsewhere, "mlflowUrl")),
    ...(services.includes("policy") ? {} : pick(elsewhere, "policyUrl")),
  };
  const all: Readonly<Record<ServiceName, ServiceSpec>> = {
    temporal: temporal(home, ports, endpoints),
    mlflow: mlflow(home, ports, endpoints),
    policy: policy(home, ports, endpoints),
    control: worker("control"),
    rollout: worker("rollout"),
    training: worker("training"),
  };
  const chosen = SERVICE_NAMES.filter((name) => services.includes(name)).map((name) => all[name]);
  const names = new Set(chosen.map(({ name }) => name));
  return {
    home,
    folder: REPOSITORY,
    endpoints,
    // A service that is left out here runs elsewhere: nobody waits for it.
    services: chosen.map((spec) => ({
      ...spec,
      env: { ...settingsOf(home, endpoints), ...spec.env },
      after: spec.after.filter((name) => names.has(name)),
    })),
  };
}

function pick(endpoints: Partial<Endpoints>, ...names: (keyof Endpoints)[]): Partial<Endpoints> {
  return Object.fromEntries(names.flatMap((name) => (endpoints[name] === undefined ? [] : [[name, endpoints[name]]])));
}

/** The environment variables by which a process of the stack finds the others. */
export function settingsOf(home: string, endpoints: Endpoints): Record<string, string> {
  return {
    TURNWISE_HOME: home,
    TURNWISE_TEMPORAL_ADDRESS: endpoints.temporalAddress,
    TURNWISE_NAMESPACE: endpoints.namespace,
    TURNWISE_POLICY_URL: endpoints.policyUrl,
    TURNWISE_MLFLOW_URL: endpoints.mlflowUrl,
    TURNWISE_PYTHON: PYTHON_BINARY,
  };
}

function temporal(home: string, ports: StackPorts, endpoints: Endpoints): ServiceSpec {
  // A database file belongs to one server version, so its name carries it.
  const database = join(servicesFolder(home), `temporal-${TEMPORAL_VERSION}.db`);
  const pragmas = ["journal_mode=WAL", "synchronous=NORMAL"].flatMap((pragma) => ["--sqlite-pragma", pragma]);
  const attributes = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ["--search-attribute", `${name}=${type}`]);
  return {
    name: "temporal",
    argv: [
      TEMPORAL_BINARY,
      ...["server", "start-dev", "--db-filename", database, ...pragmas],
      ...["--ip", "127.0.0.1", "--port", String(ports.temporal), "--ui-ip", "127.0.0.1", "--ui-port", String(ports.temporalUi)],
      ...["--namespace", endpoints.namespace, ...attributes, "--log-level", "warn", "--ui-disable-news-fetch"],
      ...OURS_ALONE,
    ],
    env: {},
    ports: { temporal: ports.temporal, temporalUi: ports.temporalUi },
    readiness: { type: "temporal", binary: TEMPORAL_BINARY, address: endpoints.temporalAddress, namespace: endpoints.namespace },
    readySeconds: 60,
    isAwaited: true,
    after: [],
    stopWave: 2,
    stopSeconds: 8,
    niceness: 0,
  };
}

function mlflow(home: string, ports: StackPorts, endpoints: Endpoints): ServiceSpec {
  const folder = servicesFolder(home);
  return {
    name: "mlflow",
    argv: [
      ...[PYTHON_BINARY, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", String(ports.mlflow), "--workers", "1"],
      ...["--backend-store-uri", `sqlite:///${join(folder, "mlflow.db")}`],
      ...["--serve-artifacts", "--artifacts-destination", join(folder, "mlflow-artifacts")],
    ],
    // Job execution would start seven more processes; telemetry would leave the machine.
    env: {
      ...COMPILED,
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
      MLFLOW_DISABLE_TELEMETRY: "true",
      DO_NOT_TRACK: "true",
      GIT_PYTHON_REFRESH: "quiet",
    },
    ports: { mlflow: ports.mlflow },
    readiness: { type: "http", url: `${endpoints.mlflowUrl}/health` },
    readySeconds: 180,
    // Its start takes half a minute of one core, and no campaign needs it to begin.
    isAwaited: false,
    after: [],
    stopWave: 1,
    stopSeconds: 5,
    niceness: 10,
  };
}

function policy(home: string, ports: StackPorts, endpoints: Endpoints): ServiceSpec {
  return {
    name: "policy",
    argv: [
      ...[PYTHON_BINARY, "-m", "policy_server", "--port", String(ports.policy), "--policy-root", join(home, "policies")],
      // The most that any policy gets; each has the context of its own model, the airline's 1,024.
      ...["--max-context", "4096"],
    ],
    env: { PYTHONPATH: TRAINER_SOURCE, ...COMPILED, KMP_BLOCKTIME: "0", HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" },
    ports: { policy: ports.policy },
    readiness: { type: "http", url: `${endpoints.policyUrl}/health` },
    readySeconds: 120,
    isAwaited: true,
    after: [],
    stopWave: 1,
    stopSeconds: 5,
    niceness: 0,
  };
}

function worker(name: "control" | "rollout" | "training"): ServiceSpec {
  return {
    name,
    argv: [process.execPath, join(REPOSITORY, "workers", `${name}.ts`)],
    env: {},
    ports: {},
    readiness: { type: "announced" },
    readySeconds: 60,
    isAwaited: true,
    after: ["temporal"],
    stopWave: 0,
    // The training worker lets its trainer save before it goes.
    stopSeconds: name === "training" ? GRACE.trainingWorkerService : GRACE.workerService,
    niceness: 0,
  };
}

/** What set-up should have made and has not, in words, or null. */
export function missingTool(services: readonly ServiceName[]): string | null {
  if (services.includes("temporal") && !existsSync(TEMPORAL_BINARY)) return "the Temporal CLI is not set up";
  if ((services.includes("mlflow") || services.includes("policy")) && !existsSync(PYTHON_BINARY))
    return "the Python environment is not set up";
  return null;
}
