// The tasks of a campaign on an OpenEnv server: told by the campaign file, by a file of its own, or by the server's task API.
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { utf8Text } from "#core/utf8-text.ts";
import { type TaskSource, ToldTask } from "./config.ts";
import { failed, shaped } from "./messages.ts";
import type { OpenEnvServer } from "./server.ts";

export interface SourcedTask extends ToldTask {
  /** What else the server says of it, for the hash of the data. */
  readonly spec?: z.core.util.JSONType;
}

export interface TaskSources {
  readonly server: OpenEnvServer;
  readonly signal: AbortSignal;
  readFile(path: string): Promise<Uint8Array>;
}

export async function readTasks(source: TaskSource, sources: TaskSources): Promise<readonly SourcedTask[]> {
  if (Array.isArray(source)) return source;
  return "file" in source ? await fromFile(source.file, sources) : await fromServer(source.server, sources);
}

async function fromFile(path: string, { readFile }: TaskSources): Promise<ToldTask[]> {
  const text = utf8Text(await readFile(path), path);
  return text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [parseLine(line, `${path}:${index + 1}`)]));
}

function parseLine(line: string, where: string): ToldTask {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid(`${where} is no JSON`, cause);
  }
  const parsed = ToldTask.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(`${where}: ${describeProblems(parsed.error, value, ToldTask)}`, parsed.error);
}

const invalid = (what: string, cause: unknown): CampaignError =>
  new CampaignError("config.invalid", what, { cause, next: "write a task a line: { id, instruction, reset }" });

const PAGE = 500;
const Names = z.array(z.string()).min(1);
const Count = z.looseObject({ num_tasks: z.int().nonnegative() });
const Page = z.looseObject({ tasks: z.array(z.json()) });

/** All tasks of a split of the server, in its order. A split may be large, so it is read by pages. */
async function fromServer(split: string, { server, signal }: TaskSources): Promise<SourcedTask[]> {
  const [name] = shaped(Names, await server.read("/list_environments", { signal }), "/list_environments");
  const ask = async <Value>(question: string, body: object, schema: z.ZodType<Value>) =>
    shaped(schema, await server.read(`/${name}/${question}`, { body: { split, ...body }, signal }), question);
  const { num_tasks: total } = await ask("num_tasks", {}, Count);
  const tasks: SourcedTask[] = [];
  for (let start = 0; start < total; start += PAGE) {
    const page = await ask("task_range", { start, stop: Math.min(start + PAGE, total) }, Page);
    if (page.tasks.length !== Math.min(PAGE, total - start))
      throw failed(`the server says that ${split} has ${total} tasks, and gives fewer`);
    tasks.push(...page.tasks.map((spec, index) => serverTask(split, start + index, spec)));
  }
  if (tasks.length === 0) throw failed(`the server has no tasks in ${split}`, "correct environment.tasks");
  return tasks;
}

/** Chosen as OpenEnv's task API says: `reset` with split and index. */
function serverTask(split: string, index: number, spec: z.core.util.JSONType): SourcedTask {
  const name = split
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "");
  const id = `${name || "task"}-${index}`;
  return { id, instruction: "", reset: { split, index }, spec };
}
