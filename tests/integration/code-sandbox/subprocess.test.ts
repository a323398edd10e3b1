// CPython with a container around it: the laws of every runtime, and what is its own. What only a sandbox contains is in pyodide.test.ts.
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { subprocessRuntime } from "#adapters/code-sandbox/subprocess/subprocess-runtime.ts";
import { episode, never, runIn } from "../../support/code-cells.ts";
import { codeRuntimeLaws } from "../../support/code-runtime-laws.ts";

const open = () => subprocessRuntime({ python: "python3", memoryMib: 512 });
codeRuntimeLaws("subprocess", open);

test("what the code has started dies with its cell", async () => {
  const runtime = open();
  const [outcome] = await episode(
    runtime,
    [
      "import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', 'while True: pass'])\nprint(p.pid, flush=True)\nwhile True: pass",
    ],
    { seconds: 3 },
  );
  expect(outcome?.error?.kind).toBe("timeout");
  const pid = Number(outcome?.stdout);
  expect(pid).toBeGreaterThan(1);
  const isGone = () => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  while (!isGone()) await delay(20);
  await runtime.close();
});

test("a Python that is not there is refused with what to do", async () => {
  const runtime = subprocessRuntime({ python: "/nowhere/python", memoryMib: 512 });
  const session = await runtime.open(never());
  await expect(runIn(session, "1")).rejects.toMatchObject({ code: "config.unreachable", next: expect.stringMatching(/CPython/) });
  await runtime.close();
});
