// home/data/by-hash/<dataSha256>: a link to the folder that held a campaign's data when it started, so that workers find it whatever
// TURNWISE_TAU_BENCH is by then. The hash is checked when the data is read: a link only says where to look.
import { mkdir, realpath, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";

const linkOf = (home: string, dataSha256: string): string => join(home, "data", "by-hash", dataSha256);

/** Leaves the link to a folder that was just read and found to have this hash; one that points elsewhere is replaced in one step. */
export async function linkData(home: string, dataSha256: string, folder: string): Promise<void> {
  const link = linkOf(home, dataSha256);
  const target = await realpath(folder);
  if (target === (await findLinkedData(home, dataSha256))) return;
  const fresh = `${link}.${process.pid}`;
  await mkdir(join(home, "data", "by-hash"), { recursive: true });
  await rm(fresh, { force: true });
  await symlink(target, fresh);
  await rename(fresh, link);
}

/** The folder that was linked for this hash; null when there is none, or it is gone. */
export async function findLinkedData(home: string, dataSha256: string): Promise<string | null> {
  return realpath(linkOf(home, dataSha256)).catch(() => null);
}
