// Node: the one that runs set-up where it is new enough, else a local copy from npm, locked by hash.
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readJson, sizeOf, writeJson } from "../files.mjs";
import { npmCi } from "../npm.mjs";
import * as places from "../places.mjs";
import { lastLines, run } from "../processes.mjs";
import { SetupError } from "../step.mjs";

const STAMP = join(places.STAMPS, "node.json");
const NEXT = `install Node ${places.MINIMUM_NODE.join(".")} or newer yourself, then run npm run setup again`;

/** @type {import("../step.mjs").Step} */
export const nodeStep = {
  name: "node",
  missing() {
    if (places.nodeBinary() === process.execPath) return null;
    const stamp = readJson(STAMP);
    if (stamp === null) return `Node ${process.versions.node} is older than ${places.MINIMUM_NODE.join(".")}`;
    if (stamp.version !== places.LOCAL_NODE_VERSION) return `the local Node is ${stamp.version}`;
    if (sizeOf(places.LOCAL_NODE_BINARY) !== stamp.size) return "the local Node is not whole";
    return null;
  },
  async make(say) {
    if (process.platform !== "linux") {
      throw new SetupError(`Node ${process.versions.node} is too old`, { tried: [], next: NEXT });
    }
    rmSync(STAMP, { force: true });
    const temporary = `${places.LOCAL_NODE}.${process.pid}.tmp`;
    try {
      await install(temporary, say);
      rmSync(places.LOCAL_NODE, { recursive: true, force: true });
      renameSync(temporary, places.LOCAL_NODE);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    writeJson(STAMP, { version: places.LOCAL_NODE_VERSION, size: sizeOf(places.LOCAL_NODE_BINARY) });
    return `local Node ${places.LOCAL_NODE_VERSION}`;
  },
};

/** @param {string} folder @param {(what: string) => void} say */
async function install(folder, say) {
  const source = join(places.REPOSITORY, "infra", "setup", "node");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(source, file), join(folder, file));
  say(`installing Node ${places.LOCAL_NODE_VERSION} from npm`);
  const npm = await npmCi(folder, say);
  const binary = places.LOCAL_NODE_BINARY.replace(places.LOCAL_NODE, folder);
  if (npm.code !== 0 || !existsSync(binary)) {
    throw new SetupError(`could not install a local Node ${places.LOCAL_NODE_VERSION}`, {
      tried: [`npm ci of infra/setup/node ended with ${npm.code}:\n${lastLines(npm.output)}`],
      next: NEXT,
    });
  }
  const answer = await run(binary, ["--version"], { timeoutSeconds: 20 });
  if (answer.answer.trim() !== `v${places.LOCAL_NODE_VERSION}`) {
    throw new SetupError("the local Node does not run on this machine", {
      tried: [`${binary} --version:\n${lastLines(answer.output)}`],
      next: NEXT,
    });
  }
}
