// Every command, in the order of `turnwise --help`. A family is imported when one of its commands is asked for, and not before: what the
// others need (DuckDB, Temporal's client, a model's client) takes most of a second of CPU to load.
import { type Command, Help } from "commander";

export interface Family {
  /** How the command is listed, and what it does: its description, here as in its own help. */
  readonly commands: Readonly<Record<string, readonly [term: string, description: string]>>;
  /** Answers what adds them to the program. */
  readonly load: () => Promise<(program: Command) => void>;
}

export const FAMILIES: readonly Family[] = [
  {
    commands: { quickstart: ["quickstart [options]", "run a small campaign from nothing to its result, without GPU or keys"] },
    load: async () => (await import("./commands/quickstart.ts")).registerQuickstart,
  },
  {
    commands: { campaign: ["campaign", "start, watch and steer calibration campaigns"] },
    load: async () => (await import("./commands/campaign.ts")).registerCampaign,
  },
  {
    commands: {
      up: ["up [options]", "start the local services: Temporal, MLflow, policy server, workers"],
      down: ["down [options]", "stop the local services, and whatever a crash left behind"],
      status: ["status [options]", "what runs, where, since when, and whether it answers"],
    },
    load: async () => (await import("./commands/services.ts")).registerServices,
  },
  {
    commands: { doctor: ["doctor [options]", "every part's version, place and state, with a remedy per problem"] },
    load: async () => (await import("./commands/doctor.ts")).registerDoctor,
  },
  {
    commands: { history: ["history [options] [id]", "what past and running campaigns found, from the record"] },
    load: async () => (await import("./commands/history.ts")).registerHistory,
  },
  {
    commands: {
      compare: [
        "compare [options] <a> <b>",
        "two campaigns beside each other: settings that differ, test results, paired difference on common test tasks",
      ],
    },
    load: async () => (await import("./commands/compare.ts")).registerCompare,
  },
  {
    commands: {
      query: [
        "query [options] [sql]",
        "SQL (DuckDB) over campaigns, iterations, stages, metrics, rewards, evaluations, evaluation_tasks, steering, meters, groups, trajectories, turns",
      ],
    },
    load: async () => (await import("./commands/query.ts")).registerQuery,
  },
  {
    commands: {
      calibrate: [
        "calibrate [options] <file...>",
        "what each kind of turn has to do with success, the reward table that follows, and whether the evidence carries it",
      ],
    },
    load: async () => (await import("./commands/calibrate.ts")).registerCalibrate,
  },
  {
    commands: {
      "calibration-diff": [
        "calibration-diff [options] <before> <after>",
        "what changed between two calibrations: reward table, tier effects, gate",
      ],
    },
    load: async () => (await import("./commands/calibration-diff.ts")).registerCalibrationDiff,
  },
  {
    commands: {
      advantages: ["advantages [options] <file...>", "turn rewards, returns and advantages of rollouts, to feed a trainer of your own"],
    },
    load: async () => (await import("./commands/advantages.ts")).registerAdvantages,
  },
  {
    commands: {
      testbed: [
        "testbed [options]",
        "error rates of the calibration gate on simulated buffers with a useful, a harmful, a neutral and a confounded tier",
      ],
    },
    load: async () => (await import("./commands/testbed.ts")).registerTestbed,
  },
  {
    commands: {
      reproduce: ["reproduce [options] <file...>", "tier effects, estimators and reward tables compared, on rollouts you have"],
    },
    load: async () => (await import("./commands/reproduce.ts")).registerReproduce,
  },
  {
    commands: { env: ["env", "checks of environments that need no model"] },
    load: async () => (await import("./commands/env.ts")).registerEnv,
  },
  {
    commands: {
      synthesize: ["synthesize [options]", "make tasks by difficulty, golden actions verified by replay and uniqueness"],
    },
    load: async () => (await import("./commands/synthesize.ts")).registerSynthesize,
  },
  {
    commands: { rollouts: ["rollouts", "rollouts in the benchmarks' file formats, and graded again"] },
    load: async () => (await import("./commands/rollouts.ts")).registerRollouts,
  },
  {
    commands: { batch: ["batch", "training batches of campaigns: tokens, masks, log-probabilities, advantages"] },
    load: async () => (await import("./commands/batch.ts")).registerBatch,
  },
  {
    commands: { simulator: ["simulator", "the simulated user"] },
    load: async () => (await import("./commands/simulator.ts")).registerSimulator,
  },
  {
    commands: { policy: ["policy", "make and describe the policy that campaigns start from"] },
    load: async () => (await import("./commands/policy.ts")).registerPolicy,
  },
  {
    commands: { tracking: ["tracking", "the projection of the record to MLflow"] },
    load: async () => (await import("./commands/tracking.ts")).registerTracking,
  },
  {
    commands: {
      gc: [
        "gc [options] [campaigns...]",
        "free the room of weights, moments, job folders and leftovers that no campaign keeps (docs/retention.md)",
      ],
    },
    load: async () => (await import("./commands/gc.ts")).registerGc,
  },
];

const TERMS: ReadonlyMap<string, string> = new Map(
  FAMILIES.flatMap(({ commands }) => Object.entries(commands).map(([name, [term]]) => [name, term] as const)),
);

/** Adds the family that these arguments ask for, whole, and of every other one the line in the list of commands. */
export async function addFamilies(program: Command, args: readonly string[]): Promise<void> {
  const asked = askedCommand(args);
  program.configureHelp({ subcommandTerm: (command) => TERMS.get(command.name()) ?? Help.prototype.subcommandTerm(command) });
  for (const { commands, load } of FAMILIES) {
    if (asked !== undefined && Object.hasOwn(commands, asked)) (await load())(program);
    else for (const name of Object.keys(commands)) program.command(name);
    for (const [name, [, description]] of Object.entries(commands))
      program.commands.find((command) => command.name() === name)?.description(description);
  }
}

/** The first word that is no option; of `help query` the second. */
function askedCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((argument) => !argument.startsWith("-"));
  return first === "help" ? second : first;
}
