// A real Temporal dev server for one test file: own port, own database file, ended with the file.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { OURS_ALONE } from "#adapters/services/temporal-cli.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { connectionTo } from "#adapters/temporal/connection.ts";
import { childEnvironment } from "../../infra/setup/shell.mjs";

export interface TemporalServer {
  readonly address: string;
  stop(): Promise<void>;
}

const SEARCH_ATTRIBUTES = ["TurnwiseCampaign=Keyword", "TurnwiseState=Keyword", "TurnwiseStage=Keyword", "TurnwiseIteration=Int"];

export async function startTemporalServer(): Promise<TemporalServer> {
  const folder = await mkdtemp(join(tmpdir(), "turnwise-temporal-"));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const child = spawn(
    join(REPOSITORY, ".turnwise", "bin", "temporal"),
    [
      "server",
      "start-dev",
      "--headless",
      "--ip",
      "127.0.0.1",
      "--port",
      String(port),
      "--http-port",
      String(await freePort()),
      "--metrics-port",
      String(await freePort()),
      "--db-filename",
      join(folder, "temporal.db"),
      "--log-level",
      "error",
      "--sqlite-pragma",
      "journal_mode=WAL",
      "--sqlite-pragma",
      "synchronous=OFF",
      ...OURS_ALONE,
      ...SEARCH_ATTRIBUTES.flatMap((attribute) => ["--search-attribute", attribute]),
    ],
    { stdio: "ignore", env: childEnvironment() },
  );
  await waitUntilReady(address, child);
  return {
    address,
    async stop() {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function waitUntilReady(address: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the Temporal server ended with ${child.exitCode}`);
    try {
      const connection = await Connection.connect({ ...connectionTo(address), connectTimeout: 500 });
      await connection.workflowService.describeNamespace({ namespace: "default" });
      await connection.close();
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 200));
    }
  }
  throw new Error(`no Temporal server at ${address}`);
}

async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => done(port));
    });
  });
}
