// Takes a lock again and again, and writes a line into a log at every moment of holding it:  lock-contender.ts LOCK LOG PYTHON
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { takeLock } from "../../infra/setup/lock.mjs";

const LINES_PER_HOLDING = 6;
const [lock = "", log = "", python = ""] = process.argv.slice(2);

for (let holding = 0; ; holding += 1) {
  const { giveBack } = await takeLock(lock, { python });
  for (let line = 0; line < LINES_PER_HOLDING; line += 1) {
    appendFileSync(log, `${process.pid} ${holding}\n`);
    await sleep(1);
  }
  appendFileSync(log, `${process.pid} ${holding} given back\n`);
  giveBack();
}
