// How much of an outcome is the simulated user's doing, from what is asked to a report.
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { checkEndpoint } from "#adapters/inference/check-endpoint.ts";
import { openSimulator } from "#adapters/simulator/open-simulator.ts";
import type { SimulatorConfig } from "#contracts/campaign-config.ts";
import type { SimulatorAudit } from "#contracts/simulator-audit.ts";
import type { GoldenTask } from "#contracts/task.ts";
import { CampaignError } from "#core/errors.ts";
import { addCounts } from "#core/reading/counts.ts";
import { type AuditInput, auditSimulator } from "#simulators/audit/audit-simulator.ts";
import { openNamedTaskSet } from "../rollouts/labelled-files.ts";
import { type RolloutSourceRequest, readRolloutSource } from "../rollouts/rollout-source.ts";
import type { ChosenSet } from "../rollouts/task-set-fit.ts";
import { divideByGrading, guessTaskSet } from "./audited-rollouts.ts";
import { chooseTasks, type TaskChoice } from "./choose-tasks.ts";
import { createEndpointWatch } from "./endpoint-watch.ts";

const DEFAULT_TASK_SET = "synthetic-airline";
/** For golden actions. */
export const DEFAULT_NUM_TASKS = 50;

type Sizes = Pick<AuditInput, "trials" | "concurrency" | "resamples" | "confidence" | "seed">;

export interface AuditRequest extends RolloutSourceRequest, TaskChoice, Sizes {
  /** Of rollouts to replay; without any, and without a campaign, golden actions are replayed. */
  readonly files: readonly string[];
}

export interface AuditEvents {
  /** After every replay. */
  readonly onReplay: (numDone: number, numReplays: number) => void;
  /** What the choice of tasks might be taken for otherwise. */
  readonly onChoice: (note: string) => void;
  /** What is wrong with the user's endpoint, and what it is sent otherwise than it was set. */
  readonly onEndpoint: (line: string) => void;
}

/** The simulator of a campaign file. Throws what loading it throws. */
export async function simulatorOfFile(path: string): Promise<SimulatorConfig> {
  return (await loadCampaignFile(path)).simulator;
}

/** Throws config.invalid, provider.* for an endpoint that does not answer or is given up, and what reading throws. */
export async function audit(config: SimulatorConfig, request: AuditRequest, events: AuditEvents): Promise<SimulatorAudit> {
  const opened = await openSource(request, events.onChoice);
  if (config.type === "llm") await checkEndpoint(config);
  // An answer from the cache would hide the very noise that is looked for.
  const watch = createEndpointWatch(
    openSimulator(config, null, (note) => watch.onNote(note)),
    events.onEndpoint,
  );
  const { trials, concurrency, resamples, confidence, seed } = request;
  const report = await auditSimulator({
    trials,
    concurrency,
    resamples,
    confidence,
    seed,
    ...opened,
    simulator: watch.simulator,
    isDeterministic: config.type === "scripted",
    priceUsdPerMillionTokens: config.type === "llm" ? config.priceUsdPerMillionTokens : null,
    signal: watch.signal,
    onReplay: events.onReplay,
    onTrouble: watch.onTrouble,
  }).finally(watch.close);
  return { ...report, notes: [...watch.notes] };
}

/** What is replayed, and where. Throws config.invalid, and what reading throws. */
async function openSource(
  options: AuditRequest,
  onChoice: AuditEvents["onChoice"],
): Promise<Pick<AuditInput, "taskSet" | "environment" | "source">> {
  const { files } = options;
  if (files.length === 0 && options.campaign === undefined) {
    const taskSet = options.taskSet ?? DEFAULT_TASK_SET;
    const chosen = await openNamedTaskSet({ ...options, taskSet });
    const tasks = chosenOf(chosen?.sets.flatMap((set) => set.tasks) ?? [], options, DEFAULT_NUM_TASKS, onChoice);
    return { taskSet, environment: (chosen as ChosenSet).environment, source: { type: "golden-actions", tasks } };
  }
  const named =
    options.taskSet === undefined && options.campaign === undefined ? { ...options, taskSet: await guessTaskSet(files, options) } : options;
  const { rollouts, reading, environment } = await readRolloutSource(files, named);
  if (environment === null) throw invalid("the rollouts' environment is not known: name it with --task-set");
  const { graded, ungraded } = divideByGrading(rollouts);
  if (graded.length === 0) throw invalid(`no rollout can be replayed and graded: ${Object.keys(ungraded).join("; ")}`);
  const all = Array.from(new Map(graded.map(({ task }) => [task.id, task])).values());
  const chosen = new Set(chosenOf(all, options, null, onChoice).map(({ id }) => id));
  return {
    taskSet: named.taskSet ?? `campaign ${options.campaign}`,
    environment,
    source: {
      type: "trajectories",
      reading: { ...reading, notes: addCounts(reading.notes, ungraded) },
      rollouts: graded.filter(({ task }) => chosen.has(task.id)),
    },
  };
}

function chosenOf(
  all: readonly GoldenTask[],
  choice: TaskChoice,
  defaultCount: number | null,
  onChoice: AuditEvents["onChoice"],
): readonly GoldenTask[] {
  const { tasks, notes } = chooseTasks(all, choice, defaultCount);
  for (const note of notes) onChoice(note);
  return tasks;
}

const invalid = (message: string): CampaignError =>
  new CampaignError("config.invalid", message, { next: "turnwise simulator audit --help" });
