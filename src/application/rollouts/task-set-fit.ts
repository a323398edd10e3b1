// Rollouts of files against the task set that --task-set names: what does not fit is refused, with the set that would.
import { basename } from "node:path";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import { TASK_SET_SOURCES, type WholeTaskSet } from "#adapters/task-data/task-sets.ts";
import type { Environment } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { addCounts, type Counts } from "#core/reading/counts.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { describeUnknownTools, unknownTools } from "#core/reward/unknown-tools.ts";
import {
  bestFit,
  compareFits,
  describeMisses,
  describeShare,
  type Fit,
  type FitFacts,
  fitFacts,
  judgeFit,
  MISSES,
  type Miss,
  type NamedFacts,
} from "#environments/task-set-fit.ts";

export interface ChosenSet {
  readonly name: string;
  /** Of one source: they share their environment. */
  readonly sets: readonly WholeTaskSet[];
  readonly environment: Environment;
  /** Folder with tau-bench's data; null where it is not at hand: then its other sets cannot be tried. */
  readonly data: string | null;
}

/** How the rollouts of one file fit the chosen set. */
export interface FileFit {
  readonly file: string;
  readonly rollouts: readonly ImportedRollout[];
  readonly fit: Fit;
  readonly facts: FitFacts;
}

/** Rollouts of a file that are played to look for another set: enough to tell sets apart, spread over the file. */
const SAMPLE = 200;

/**
 * How each file fits. Only where a file does not fit clearly are the other sets tried.
 * Throws config.invalid for a file that does not fit, or that fits another set better.
 */
export async function requireFit(rollouts: readonly ImportedRollout[], chosen: ChosenSet): Promise<FileFit[]> {
  const files = Map.groupBy(rollouts, ({ file, trajectory }) => file ?? trajectory.policy.name);
  const fits = Array.from(files, ([file, members]): FileFit => {
    const facts = factsOf(members, chosen.sets);
    return { file, rollouts: members, facts, fit: judgeFit(facts) };
  });
  for (const one of fits) if (one.fit !== "clear") await refuseMisfit(one, chosen);
  return fits;
}

async function refuseMisfit({ file, rollouts, fit, facts }: FileFit, { name, sets, data }: ChosenSet): Promise<void> {
  const sample = spread(rollouts, SAMPLE);
  const others = await factsOfKnown(sample, data, name);
  const best = bestFit(others);
  const own = sample.length === rollouts.length ? facts : factsOf(sample, sets);
  const better = best !== null && compareFits(best.facts, own) > 0 ? best : null;
  if (fit !== "misfit" && better === null) return;
  const why = describeMisses(facts);
  const ofSample = sample.length === rollouts.length ? "" : ` of a sample of ${sample.length} rollouts`;
  const found = better === null ? "" : `; ${better.name} fits ${describeShare(better.facts)}${ofSample}`;
  const next = better === null ? noneFits(others, data) : `--task-set ${better.name}`;
  throw new CampaignError("config.invalid", `${basename(file)}: ${describeShare(facts)} fit ${name}${why && ` (${why})`}${found}`, {
    next,
  });
}

/** The known set that rollouts fit best. Throws config.invalid when none fits. */
export async function findTaskSet(rollouts: readonly ImportedRollout[], data: string | null): Promise<string> {
  const all = await factsOfKnown(spread(rollouts, SAMPLE), data, null);
  const best = bestFit(all);
  if (best !== null) return best.name;
  const shares = all.map(({ name, facts }) => `${describeShare(facts)} fit ${name}`);
  throw new CampaignError("config.invalid", `the rollouts' environment is not known: ${shares.join(", ")}`, { next: noneFits(all, data) });
}

function noneFits(tried: readonly NamedFacts[], data: string | null): string {
  const names = tried.map(({ name }) => name).join(", ");
  const missing = data === null ? "; the sets of tau-bench were not tried: set TURNWISE_TAU_BENCH or give --data" : "";
  return `none of the known sets fits (tried: ${names}), so the rollouts' own set is not known here${missing}`;
}

async function factsOfKnown(rollouts: readonly ImportedRollout[], data: string | null, without: string | null): Promise<NamedFacts[]> {
  const sources = TASK_SET_SOURCES.filter(({ name, needsData }) => name !== without && (data !== null || !needsData));
  const all: NamedFacts[] = [];
  for (const { name, load } of sources) {
    const sets = await load(data).catch(absentData);
    if (sets !== null) all.push({ name, facts: factsOf(rollouts, sets) });
  }
  return all;
}

/** A folder need not hold the data of every set. */
function absentData(error: unknown): null {
  if (error instanceof CampaignError && error.code === "environment.data-missing") return null;
  throw error;
}

function factsOf(rollouts: readonly ImportedRollout[], sets: readonly WholeTaskSet[]): FitFacts {
  return fitFacts(rollouts, { environment: environmentOf(sets), tasks: sets.flatMap(({ tasks }) => tasks) });
}

/** Task sets of one source share their environment. */
export function environmentOf([first]: readonly WholeTaskSet[]): Environment {
  if (first === undefined) throw new Error("a task set source gave no task set");
  return first.environment;
}

/** For the account of the reading: calls that do not give their stored result, by why. */
export function fitNotes(fits: readonly FileFit[], name: string): Counts {
  return addCounts(
    ...fits.map(({ facts: { misses } }) =>
      Object.fromEntries((Object.keys(MISSES) as Miss[]).map((miss) => [`calls that in ${name} ${MISSES[miss]}`, misses[miss]])),
    ),
  );
}

/** For the account of the reading: tools named by hand that nobody calls, which is most likely a slip of the pen. */
export function absentNotes(rollouts: readonly ImportedRollout[], names: readonly string[]): Counts {
  const used = new Set(
    rollouts.flatMap(({ task, trajectory }) => [
      ...(task.goldenActions ?? []).map(({ name }) => name),
      ...trajectory.turns.flatMap(({ toolCalls }) => toolCalls.map(({ name }) => name)),
    ]),
  );
  const absent = names.filter((name) => !used.has(name));
  return absent.length === 0 ? {} : { [`named tools that no rollout and no golden action calls (${absent.join(", ")})`]: absent.length };
}

/** For the account of the reading: what is not known of the rollouts, and nothing is guessed in its place. */
export function unknownNotes(rollouts: readonly ImportedRollout[], catalog: ToolCatalog): Counts {
  const tools = unknownTools(rollouts, catalog);
  return addCounts({
    "rollouts without golden actions: no call of theirs can be gold": rollouts.filter(({ task }) => task.goldenActions === null).length,
    ...(tools === null ? {} : { [describeUnknownTools(tools)]: tools.numUses }),
  });
}

function spread<Item>(items: readonly Item[], count: number): readonly Item[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)] as Item);
}
