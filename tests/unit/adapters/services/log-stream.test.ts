// A log that cannot be written.
import { spawnSync } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { logStream } from "#adapters/services/log-stream.ts";
import { REPOSITORY } from "#adapters/settings.ts";

test("lines that find no room are lost and counted, and the next one that fits says how many", () => {
  const written: string[] = [];
  let isFull = false;
  const stream = logStream((line) => {
    if (isFull) throw new Error("ENOSPC");
    written.push(line);
  });
  stream.write("one\n");
  isFull = true;
  stream.write("two\n");
  stream.write("three\n");
  isFull = false;
  stream.write("four\n");
  expect(written).toEqual(["one\n", expect.stringContaining("2 lines of this log were lost"), "four\n"]);
});

test.runIf(existsSync("/dev/full"))("a process whose log is full goes on with its work", () => {
  const program = `
    import pino from "pino";
    import { logStream } from "#adapters/services/log-stream.ts";
    const log = pino({ name: "worker" }, logStream());
    for (let line = 0; line < 100; line += 1) log.info({ line }, "at work");
    process.exitCode = 7;`;
  const stdio = ["ignore", openSync("/dev/full", "w"), "pipe"] as const;
  const args = ["--input-type=module", "-e", program];
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: join(REPOSITORY),
    stdio: [...stdio],
    timeout: 30_000,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 7, stderr: "" });
});
