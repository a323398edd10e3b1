// A small real service for the laws of the supervisor. Behaviour by arguments:
//   port=N        listens there            delay=MS     says that it is ready so much later
//   child         starts a child in a process group of its own
//   stubborn      ignores SIGTERM          dies=MS      ends with code 7 after so long
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { announceReady } from "#adapters/services/announce-ready.ts";

const options = new Map(process.argv.slice(2).map((argument) => argument.split("=") as [string, string | undefined]));
const number = (name: string) => Number(options.get(name) ?? 0);

console.log(`fixture service starts with ${process.argv.slice(2).join(" ")}`);
if (options.has("stubborn")) process.on("SIGTERM", () => console.log("not now"));
if (options.has("child")) spawn("sleep", ["300"], { detached: true, stdio: "ignore" }).unref();
if (options.has("dies")) {
  setTimeout(() => {
    console.log("last words");
    process.exit(7);
  }, number("dies"));
}
if (options.has("port")) createServer().listen(number("port"), "127.0.0.1");
else setInterval(() => {}, 60_000);
setTimeout(announceReady, number("delay"));
