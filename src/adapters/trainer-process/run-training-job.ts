// A training engine as a process, the Python trainer or one of one's own: job.json in, events.jsonl while it runs, result.json last. See src/contracts/training.ts.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { GRACE } from "#contracts/grace-periods.ts";
import { TrainingEvent, type TrainingJob, TrainingResult } from "#contracts/training.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { CampaignError, ERROR_CODES, type ErrorCode, FEW_TRIES } from "#core/errors.ts";
import { pythonEnvironment } from "../../../infra/setup/python/our-python.mjs";
import { childEnvironment } from "../../../infra/setup/shell.mjs";
import { REPOSITORY } from "../settings.ts";
import { followLines } from "./event-tail.ts";
import { type ProcessGroup, startGroup } from "./process-group.ts";
import { watchForStall } from "./stall-watch.ts";

const LOOK_EVERY_MS = 200;

export interface JobOptions<Job, Event> {
  /** The Python interpreter of the trainer's environment. */
  readonly python: string;
  /** Another engine in the trainer's place: its program and arguments, started without a shell. The job's folder comes last. */
  readonly engine?: readonly string[] | undefined;
  /** The job's own folder, the same for every attempt: checkpoints in it are gone on from. */
  readonly jobDirectory: string;
  readonly job: Job;
  readonly stallTimeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: Event) => void;
}

/** `python -m trainer train`, or another engine. See runTrainerCommand for resumption and errors. */
export function runTrainingJob(options: JobOptions<TrainingJob, TrainingEvent>): Promise<TrainingResult> {
  return runTrainerCommand({ ...options, command: "train", eventSchema: TrainingEvent, resultSchema: TrainingResult });
}

export interface CommandOptions<Job, Event, Result> extends JobOptions<Job, Event> {
  readonly command: "train" | "sft";
  readonly eventSchema: z.ZodType<Event>;
  readonly resultSchema: z.ZodType<Result>;
}

/**
 * Runs a job to its end and returns its result; at once when an earlier attempt finished this very job.
 *
 * throws  trainer.invalid-job, trainer.disk-full, trainer.diverged (another attempt as things are is useless), trainer.crashed,
 *         trainer.stalled (call again: it goes on from its last good checkpoint), the signal's reason after the trainer has saved and stopped
 */
export async function runTrainerCommand<Job, Event extends { type: string }, Result>(
  options: CommandOptions<Job, Event, Result>,
): Promise<Result> {
  const { jobDirectory, signal } = options;
  signal.throwIfAborted();
  await placeJob(jobDirectory, options.job);
  const earlier = readResult(options);
  if (earlier !== null) return earlier;
  const lookForEvents = followLines(join(jobDirectory, "events.jsonl"));
  const group = await startTrainer(options);
  try {
    await supervise(options, group, lookForEvents);
  } finally {
    await endOf(group);
  }
  const result = readResult(options);
  if (result === null)
    throw new CampaignError("trainer.crashed", `the trainer exited with 0 but left no result.json in ${jobDirectory}`, {
      maxTries: FEW_TRIES,
    });
  return result;
}

/** Writes job.json, and takes away the result of any other job that was here before. */
async function placeJob(directory: string, job: unknown): Promise<void> {
  const path = join(directory, "job.json");
  const text = `${canonicalJson(job)}\n`;
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  await mkdir(directory, { recursive: true });
  await rm(join(directory, "result.json"), { force: true });
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

/** What is no JSON is no result either: its schema says so. */
function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function readResult<Job, Event, Result>({ jobDirectory, resultSchema, engine }: CommandOptions<Job, Event, Result>): Result | null {
  const path = join(jobDirectory, "result.json");
  if (!existsSync(path)) return null;
  const parsed = resultSchema.safeParse(parsedOrText(readFileSync(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new CampaignError("contract.invalid", `${path} is not what the trainer promises: ${parsed.error.message}`, {
    next:
      engine === undefined
        ? "the trainer and this program are of different versions; install both anew with npm run setup"
        : "correct the engine that training.command names: docs/extending/trainer-engine.md",
  });
}

async function startTrainer<Job, Event, Result>(options: CommandOptions<Job, Event, Result>): Promise<ProcessGroup> {
  const { argv, env, cwd, next } = options.engine === undefined ? ownTrainer(options) : otherEngine(options.engine, options.jobDirectory);
  const logPath = join(options.jobDirectory, "trainer.log");
  try {
    return await startGroup(argv, { env, logPath, cwd });
  } catch (cause) {
    throw new CampaignError("trainer.crashed", `cannot start ${argv[0]}: ${String(cause)}`, { cause, maxTries: FEW_TRIES, next });
  }
}

interface Program {
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What to do when it cannot be started. */
  readonly next: string;
}

function ownTrainer({ python, command, jobDirectory }: { python: string; command: string; jobDirectory: string }): Program {
  return {
    argv: [python, "-m", "trainer", command, jobDirectory, "--save-seconds", String(GRACE.rank)],
    env: pythonEnvironment({ PYTHONUNBUFFERED: "1", KMP_BLOCKTIME: "0" }),
    next: "run npm run setup",
  };
}

function otherEngine([program = "", ...rest]: readonly string[], jobDirectory: string): Program {
  return { argv: [program, ...rest, jobDirectory], env: childEnvironment(), cwd: REPOSITORY, next: "correct training.command" };
}

/** Nobody of the group is left when this returns. */
async function endOf(group: ProcessGroup): Promise<void> {
  const { isGone } = await group.end();
  if (isGone) return;
  throw new CampaignError("trainer.crashed", `processes of the trainer's group ${group.pid} do not die`, {
    next: `see what holds them: ps -eo pid,pgid,stat,wchan,args | grep ' ${group.pid} '`,
  });
}

/** Returns when the trainer exited with 0; everything else is thrown. */
async function supervise<Job, Event extends { type: string }, Result>(
  options: CommandOptions<Job, Event, Result>,
  group: ProcessGroup,
  lookForEvents: () => string[],
): Promise<void> {
  const { signal, stallTimeoutSeconds } = options;
  const watch = watchForStall(stallTimeoutSeconds, group.cpuSeconds);
  let error: Event | null = null;
  const look = (): void => {
    const events = lookForEvents().flatMap((line) => parseEvent(options.eventSchema, line));
    if (events.length > 0) watch.sawEvent();
    for (const event of events) options.onEvent(event);
    error = events.findLast((event) => event.type === "job-error") ?? error;
  };
  let ended: Awaited<ProcessGroup["exit"]> | null = null;
  while (ended === null) {
    ended = await Promise.race([group.exit, delay(LOOK_EVERY_MS, null, { ref: false })]);
    look();
    if (ended !== null) break;
    if (signal.aborted) {
      await stop(group);
      throw signal.reason;
    }
    const stall = watch.stalled();
    if (stall !== null) throw new CampaignError("trainer.stalled", stall, { next: "see trainer.log in the job's folder" });
  }
  if (ended.code !== 0) throw failureOf(ended, error, group, options.jobDirectory);
}

/** A line that is not an event is the torn end of a killed attempt; the trainer cuts it off when it resumes. */
function parseEvent<Event>(schema: z.ZodType<Event>, line: string): Event[] {
  try {
    return [schema.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}

/** SIGTERM, so that the trainer saves its progress; SIGKILL when that takes too long. */
async function stop(group: ProcessGroup): Promise<void> {
  group.kill("SIGTERM");
  const isGone = await Promise.race([group.exit.then(() => true), delay(GRACE.trainer * 1000, false, { ref: false })]);
  if (!isGone) group.kill("SIGKILL");
  await group.exit;
}

/** On a full disk there may be no room for the event that says so. */
const printedCode = (lines: string): string | undefined => /error: ([a-z.-]+): /.exec(lines)?.[1];

const EXIT_CRASHED = 1;
const EXIT_CODES: Readonly<Record<number, ErrorCode>> = { 2: "trainer.invalid-job", 3: "trainer.diverged" };

function failureOf(ended: Awaited<ProcessGroup["exit"]>, event: unknown, group: ProcessGroup, jobDirectory: string): CampaignError {
  const how = ended.signal === null ? `exit code ${ended.code}` : ended.signal;
  const reported = event as { code: string; message: string } | null;
  const code = EXIT_CODES[ended.code ?? -1] ?? "trainer.crashed";
  const message = reported?.message ?? group.lastLines(5).join(" | ");
  const known = ERROR_CODES.find((candidate) => candidate === (reported?.code ?? printedCode(message)));
  const next = known === "trainer.disk-full" ? `make room for ${jobDirectory}, then resume` : `see ${join(jobDirectory, "trainer.log")}`;
  // Killed, terminated or orphaned it may go through the next time; an exception comes again.
  const maxTries = ended.code === EXIT_CRASHED ? FEW_TRIES : undefined;
  return new CampaignError(known ?? code, `the trainer ended with ${how}: ${message}`, { next, maxTries });
}
