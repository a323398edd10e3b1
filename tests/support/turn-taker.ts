// A campaign on a policy server that it shares, in a process of its own:  turn-taker.ts LOCK LOG PYTHON NAME STAGES
// Every stage needs other weights, as with whole weights that were trained in between. Every use is a line in the log.
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Turns } from "#adapters/inference/vllm/turns.ts";

const [lockPath = "", log = "", python = "", name = "", stages = "1"] = process.argv.slice(2);
const say = (what: string) => appendFileSync(log, `${name} ${what}\n`);
const alive = setInterval(() => {}, 1000); // a worker has a server to keep it alive
const turns = new Turns({ address: "the address", lockPath, python, idleSeconds: 0.3, end: async () => say("ends the server") });

for (let stage = 1; stage <= Number(stages); stage += 1) {
  const need = `${name} ${stage}`;
  const onWait = (message: string) => say(`waits: ${message}`);
  await turns.enter({ need, purpose: need, holder: `campaign ${name}`, onWait }, new AbortController().signal);
  for (let call = 0; call < 4; call += 1) {
    await turns.use(need, async () => say(`uses ${stage}`));
    await sleep(30);
  }
  await sleep(20);
}
await turns.stop();
clearInterval(alive);
