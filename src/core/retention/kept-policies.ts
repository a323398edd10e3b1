// Which policies of a campaign keep their weights and their moments: a pure rule over the iterations that are complete.
import type { RetentionConfig } from "#contracts/retention.ts";

/** What the rule sees of a campaign; policies by hash. */
export interface PolicyHistory {
  readonly base: string;
  /** Complete iterations, ascending. */
  readonly iterations: readonly {
    readonly iteration: number;
    readonly trained: string | null;
    /** The promoted policy when the iteration was over. */
    readonly promoted: string;
    /** Of `trained`, on the selection tasks; null where nothing is selected. */
    readonly passRate: number | null;
  }[];
  /** The final policy, once the campaign has ended. */
  readonly final: string | null;
  /** Iterations that other campaigns were forked from. */
  readonly forkedAt: readonly number[];
}

export interface KeptPolicies {
  readonly weights: ReadonlySet<string> | "all";
  readonly moments: ReadonlySet<string> | "all";
}

export function keptPolicies(retention: Pick<RetentionConfig, "policies" | "optimizerState">, history: PolicyHistory): KeptPolicies {
  const { base, iterations, final, forkedAt } = history;
  const promoted = iterations.at(-1)?.promoted ?? base;
  const forks = iterations.filter(({ iteration }) => forkedAt.includes(iteration)).map((iteration) => iteration.promoted);
  const needed = [base, promoted, ...(final === null ? [] : [final]), ...forks];
  const weights = retention.policies === "all" ? "all" : new Set([...needed, ...chosen(retention.policies, iterations)]);
  if (retention.optimizerState === "all") return { weights, moments: weights };
  const isOver = retention.optimizerState === "none" && final !== null;
  return { weights, moments: new Set([...(isOver ? [] : [promoted]), ...forks]) };
}

function chosen(
  { last, promoted, best }: Exclude<RetentionConfig["policies"], "all">,
  iterations: PolicyHistory["iterations"],
): readonly string[] {
  const trained = iterations.flatMap((iteration) => (iteration.trained === null ? [] : [{ ...iteration, trained: iteration.trained }]));
  const measured = trained.flatMap((iteration) => (iteration.passRate === null ? [] : [{ ...iteration, passRate: iteration.passRate }]));
  const top = measured.reduce<(typeof measured)[number] | null>((a, b) => (a === null || b.passRate > a.passRate ? b : a), null);
  return [
    ...trained.slice(-last).map((iteration) => iteration.trained),
    ...(promoted ? iterations.map((iteration) => iteration.promoted) : []),
    ...(best && top !== null ? [top.trained] : []),
  ];
}
