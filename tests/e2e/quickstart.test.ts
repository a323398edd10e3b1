// The quickstart as a person runs it: from the command to its last line, and nothing left behind.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { freePorts } from "#adapters/services/ports.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { longTemporaryFolder } from "../fixtures/temporary-folder.ts";
import { SMALL, until } from "./stack-campaign.ts";

const MINUTE = 60_000;

/** Starts the command in a home and on ports of its own. */
async function start(home: string) {
  const ports = await freePorts();
  const env = {
    NO_COLOR: "1",
    TURNWISE_HOME: home,
    TURNWISE_TEMPORAL_PORT: String(ports.temporal),
    TURNWISE_TEMPORAL_UI_PORT: String(ports.temporalUi),
    TURNWISE_MLFLOW_PORT: String(ports.mlflow),
    TURNWISE_POLICY_PORT: String(ports.policy),
  };
  const overrides = SMALL.flatMap((override) => ["--set", override]);
  const command = [join(REPOSITORY, "src/cli/main.ts"), "quickstart", ...overrides];
  return { running: execa(process.execPath, command, { cwd: REPOSITORY, env, reject: false, timeout: 6 * MINUTE }) };
}

async function quickstart(home: string) {
  const { running } = await start(home);
  return await running;
}

/** Processes of this home that still run: every one inherits the home from the supervisor. */
async function leftovers(home: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const commands = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.includes(`TURNWISE_HOME=${home}`) ? [await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => pid)] : [];
    }),
  );
  return commands.flat();
}

describe("quickstart", () => {
  const home = join(longTemporaryFolder(), "home");

  test(
    "runs a campaign to its end, prints what it found and where to look, and leaves nothing running",
    async () => {
      const { exitCode, stdout, stderr } = await quickstart(home);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toMatch(/iteration +train pass rate +by doing nothing +mixed groups +selection pass rate/);
      expect(stdout).toContain("wall time by stage");
      const result = stdout.slice(stdout.indexOf("result: the test"));
      expect(result).toMatch(/^result: the test, opened once when the campaign ended, on \d+ tasks of \d+ users x \d trials\n/);
      expect(result).toMatch(/base policy +quickstart-[0-9a-f]{12} +\d+\.\d %/);
      expect(result).toMatch(/final policy +quickstart-[0-9a-f]{12} +\d+\.\d %/);
      expect(stdout.match(/^ {2}\.\/turnwise /gm)).toHaveLength(3);
      expect(await leftovers(home)).toEqual([]);
    },
    8 * MINUTE,
  );

  test(
    "a second run is a second campaign and, with the same seed, has the same result to the bit",
    async () => {
      const { exitCode, stdout } = await quickstart(home);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("quickstart-2");
      expect(stdout).toContain("same seed, same result: the final policy is bit for bit that of quickstart");
    },
    8 * MINUTE,
  );

  test(
    "Ctrl-C in the middle stops everything, and the campaign can be resumed later",
    async () => {
      const interrupted = join(home, "interrupted");
      const groups = join(interrupted, "record/campaigns/quickstart/iterations/0000/groups/selection");
      const { running } = await start(interrupted);
      await until("rollouts begin", 120, async () => (await readdir(groups).catch(() => [])).length > 0);
      running.kill("SIGINT");
      const { exitCode, stderr } = await running;
      expect(exitCode).toBe(130);
      expect(stderr).toContain("turnwise campaign resume quickstart");
      expect(await leftovers(interrupted)).toEqual([]);
    },
    8 * MINUTE,
  );
});
