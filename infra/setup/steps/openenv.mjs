// The Python of an environment's server: what examples/openenv and its tests start. A server has packages of its own, which never meet the trainer's.
import { join } from "node:path";
import * as places from "../places.mjs";
import { makeLocked, syncLock, whyMissing } from "../python/locked-environment.mjs";
import { findUv } from "../python/uv.mjs";

const LOCK = join(places.REPOSITORY, "examples", "openenv", "requirements.lock");
const ENVIRONMENT = { name: "OpenEnv environment", folder: places.OPENENV, lock: LOCK, stamp: join(places.OPENENV, "stamp.json") };

/** @type {import("../step.mjs").Step} */
export const openenvStep = {
  name: "openenv",
  isForTests: true,
  missing: () => whyMissing(ENVIRONMENT),
  async make(say) {
    const uv = await findUv(say);
    return `${await makeLocked(ENVIRONMENT, uv, () => syncLock(uv, places.OPENENV, LOCK, say), say)} Python packages of an OpenEnv server`;
  },
};
