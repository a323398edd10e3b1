// Committed groups as the store holds them, and the files of the rollouts that they name.
import { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { ArtifactStore } from "#core/ports.ts";
import { parseContract } from "../record/parse-contract.ts";
import { RecordPaths } from "../record/paths.ts";
import type { RecordedCampaign } from "./load.ts";

export interface StoredGroup {
  readonly name: string;
  /** A GroupManifest of any release: read by its fields, so that one which does not fit its contract hides no other. */
  readonly manifest: unknown;
}

/** A blob of Parquet rows, where programs can read it. */
export interface RowFile {
  readonly sha256: string;
  readonly schema: string;
  readonly path: string;
}

/** Each blob once. */
export interface RowFiles {
  readonly trajectories: readonly RowFile[];
  readonly credit: readonly RowFile[];
}
export const NO_ROWS: RowFiles = { trajectories: [], credit: [] };

/** Groups of iterations, and those of the test. */
const GROUP_NAME = /^campaigns\/[^/]+\/(iterations|test)\/[^/]+\/groups\/[^/]+\/[^/]+\.json$/;
const READS_AT_ONCE = 32;

/** All of them, by name. Throws store.corrupt when one is not JSON. */
export async function loadGroups(store: ArtifactStore): Promise<StoredGroup[]> {
  const names = (await store.list(RecordPaths.campaigns)).filter((name) => GROUP_NAME.test(name));
  const groups = await inTurn(names, async (name) => ({ name, manifest: await store.read(name) }));
  return groups.filter(({ manifest }) => manifest !== null);
}

/** The files of every rollout and of every credit. Throws store.missing, store.corrupt, and contract.invalid for a group that names none. */
export async function locateRows(
  store: ArtifactStore,
  {
    groups,
    campaigns,
  }: { readonly groups: readonly StoredGroup[]; readonly campaigns: { readonly readable: readonly RecordedCampaign[] } },
): Promise<RowFiles> {
  const credit = campaigns.readable.flatMap(({ iterations }) => iterations.flatMap(({ stages }) => stages.map(creditOf)));
  return {
    trajectories: await locate(store, groups.map(trajectoriesOf)),
    credit: await locate(
      store,
      credit.filter((ref) => ref !== undefined),
    ),
  };
}

function trajectoriesOf({ name, manifest }: StoredGroup): ArtifactRef {
  const { trajectories } = Object(manifest) as { readonly trajectories?: unknown };
  return parseContract(ArtifactRef, trajectories, `${name}: trajectories`);
}

const creditOf = ({ stage, outputs }: RecordedCampaign["iterations"][number]["stages"][number]) =>
  stage === "training" ? outputs["credit"] : undefined;

async function locate(store: ArtifactStore, refs: readonly ArtifactRef[]): Promise<RowFile[]> {
  const unique = [...new Map(refs.map((ref) => [ref.sha256, ref])).values()];
  return await inTurn(unique, async (ref) => ({ sha256: ref.sha256, schema: ref.schema, path: await store.localPath(ref) }));
}

/** `work` on each, some at a time, answers in order. */
async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += READS_AT_ONCE)
    results.push(...(await Promise.all(items.slice(start, start + READS_AT_ONCE).map(work))));
  return results;
}
