// The task set that a module opens, looked at as a whole before a rollout is made of it, with a world whose every answer is looked at.
import { z } from "zod";
import { Task } from "#contracts/task.ts";
import type { Episode, Grade, Observation, World } from "#core/environment/episode.ts";
import type { Splits } from "#core/environment/splits.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { kindOf, wrong } from "./exported-plugin.ts";
import type { LoadedModule } from "./loaded-module.ts";

const Tool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "a tool's name is letters, digits, _ and -, at most 64"),
    description: z.string(),
    parameters: z.looseObject({
      type: z.literal("object", "wanted a JSON schema of type object: what a call's arguments are"),
      properties: z.record(z.string(), z.union([z.boolean(), z.record(z.string(), z.unknown())])).optional(),
      required: z.array(z.string()).optional(),
    }),
  }),
});

const Names = z.array(z.string());

const WorldShape = z.looseObject({
  id: z.string().min(1),
  tools: z.array(Tool),
  systemPrompt: z.string(),
  protocol: z.looseObject({
    opens: z.enum(["user", "task", "agent"]),
    stopTokens: Names,
    terminalTools: Names,
    handOverTools: Names,
    callsPerMessage: z.enum(["first", "all"]),
    limits: z.strictObject({ maxTurns: z.int().positive().nullable(), maxErrors: z.int().positive().nullable() }),
  }),
  resume: z.enum(["re-execute", "restore", "restart"]),
});

const SPLITS = ["sft", "train", "selection", "test"] as const;
const MEND_TASKS = "mend the tasks that openTaskSet answers";

/** The same task set, of which every episode answers in its form or with an error that names the module. Throws environment.failed for one that is none. */
export function checkedTaskSet(module: LoadedModule, found: TaskSet): TaskSet {
  const { path } = module;
  if (typeof found !== "object" || found === null) throw wrong(path, `opens ${kindOf(found)}, wanted a task set`);
  const splits = checkedSplits(path, found.splits);
  return {
    ...found,
    splits,
    world: watched(module, checkedWorld(path, found.world)),
    labeller: checkedLabeller(module, found),
    ...checkedRest(path, found),
  };
}

function checkedLabeller(module: LoadedModule, { labeller }: TaskSet): TaskSet["labeller"] {
  const { schemes, label } = (labeller ?? {}) as Partial<TaskSet["labeller"]>;
  if (typeof label !== "function" || typeof schemes !== "object")
    throw wrong(module.path, "opens a task set without a labeller { schemes, label }", MEND_SET);
  return {
    schemes,
    label: (trajectory, task, scheme) => module.callNow(`label of ${task.id}`, () => label.call(labeller, trajectory, task, scheme)),
  };
}

function checkedRest(path: string, { formats, environment }: TaskSet): Pick<TaskSet, "formats" | "environment"> {
  if (typeof formats !== "object" || formats === null)
    throw wrong(path, `opens a task set whose formats are ${kindOf(formats)}, wanted prompt formats by name`, MEND_SET);
  if (typeof environment !== "object")
    throw wrong(path, `opens a task set whose environment is ${kindOf(environment)}, wanted a pure environment or null`, MEND_SET);
  return { formats, environment };
}

const MEND_SET = "make it with taskSet({ world, splits }), which fills in what is left out";

function checkedSplits(path: string, splits: Splits): Splits {
  const seen = new Map<string, string>();
  const owners = new Map<string, string>();
  const checked = Object.fromEntries(
    SPLITS.map((split) => [split, listOf(path, splits, split).map((task, index) => checkedTask(path, task, `${split}[${index}]`))]),
  ) as Record<(typeof SPLITS)[number], Task[]>;
  for (const split of SPLITS) {
    for (const { id, userId } of checked[split]) {
      const other = seen.get(id);
      if (other !== undefined) throw wrong(path, `has two tasks ${id}, in ${other} and ${split}: an id is of one task`, MEND_TASKS);
      seen.set(id, split);
      const owner = userId === null || userId === "" ? split : (owners.get(userId) ?? split);
      if (owner !== split) throw wrong(path, `has tasks of user ${userId} in ${owner} and in ${split}: a user is of one split`, MEND_TASKS);
      if (userId !== null && userId !== "") owners.set(userId, split);
    }
  }
  return checked;
}

function listOf(path: string, splits: Splits, split: keyof Splits): readonly unknown[] {
  const tasks: unknown = (splits as Splits | undefined)?.[split];
  if (Array.isArray(tasks)) return tasks;
  throw wrong(path, `opens a task set whose splits.${split} is ${kindOf(tasks)}, wanted a list of tasks`, MEND_TASKS);
}

function checkedTask(path: string, task: unknown, where: string): Task {
  const parsed = Task.safeParse(task);
  if (parsed.success) return parsed.data;
  throw wrong(path, `has a task that is none: ${firstProblem(parsed.error, `splits.${where}`)}`, MEND_TASKS);
}

function checkedWorld(path: string, world: World): World {
  const mend = "mend the world that openTaskSet answers";
  const parsed = WorldShape.safeParse(world);
  if (!parsed.success) throw wrong(path, `has a world that is none: ${firstProblem(parsed.error, "world")}`, mend);
  if (typeof world.open !== "function") throw wrong(path, `has a world whose open is ${kindOf(world.open)}, wanted a function`, mend);
  const names = world.tools.map((tool) => tool.function.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong(path, `has two tools ${twice}`, mend);
  const { terminalTools, handOverTools } = world.protocol;
  const strange = terminalTools.find((name) => !names.includes(name));
  if (strange !== undefined) throw wrong(path, `ends with the tool ${strange}, which is not one of its tools (${names.join(", ")})`, mend);
  const open = handOverTools.find((name) => !terminalTools.includes(name));
  if (open !== undefined) throw wrong(path, `hands over with the tool ${open}, which is not one of its terminalTools`, mend);
  return world;
}

function firstProblem(error: z.ZodError, root: string): string {
  const issue = error.issues[0];
  return `${root}${(issue?.path ?? []).map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("")}: ${issue?.message}`;
}

/** The same world: what its episodes throw has a file and a line, and what they answer has its form. */
function watched(module: LoadedModule, world: World): World {
  const { id, tools, systemPrompt, protocol, resume } = world;
  return {
    ...{ id, tools, systemPrompt, protocol, resume },
    async open(task, options) {
      const episode: unknown = await module.call(`open of ${task.id}`, () => world.open(task, options));
      return module.callNow(`the episode of ${task.id}`, () =>
        watchedEpisode(module, world, task.id, checkedEpisode(module.path, episode)),
      );
    },
  };
}

const METHODS = ["act", "fingerprint", "grade", "close"] as const;

function checkedEpisode(path: string, episode: unknown): Episode {
  const missing = METHODS.find((name) => typeof (episode as Partial<Record<string, unknown>> | null)?.[name] !== "function");
  if (missing === undefined) return episode as Episode;
  throw wrong(path, `opens an episode without ${missing}(), wanted ${METHODS.join(", ")}`, "mend the world's open");
}

function watchedEpisode(module: LoadedModule, { resume }: World, taskId: string, episode: Episode): Episode {
  const call = <Answer>(what: string, action: () => Answer | Promise<Answer>) => module.call(`${what} of ${taskId}`, action);
  const { opening, snapshot, numPendingWrites } = episode;
  if (opening !== undefined && !(typeof opening === "string" && opening.isWellFormed()))
    throw wrong(module.path, `opens ${taskId} with ${kindOf(opening)} as its opening, wanted a text`, "mend the world's open");
  if (resume === "restore" && typeof snapshot !== "function") {
    throw wrong(
      module.path,
      "says resume: restore, and its episodes have no snapshot()",
      "give episodes a snapshot, or say re-execute or restart",
    );
  }
  return {
    ...(opening === undefined ? {} : { opening }),
    act: (calls, signal) => call("act", async () => checkedObservations(module.path, calls.length, await episode.act(calls, signal))),
    fingerprint: async () => checkedText(module.path, "fingerprint", await call("fingerprint", () => episode.fingerprint()), resume),
    grade: (conversation, signal) =>
      call("grade", async () => checkedGrade(module.path, taskId, await episode.grade(conversation, signal))),
    close: () => call("close", () => episode.close()),
    ...(snapshot === undefined ? {} : { snapshot: (signal) => call("snapshot", () => snapshot.call(episode, signal)) }),
    ...(numPendingWrites === undefined
      ? {}
      : { numPendingWrites: (turns) => module.callNow(`numPendingWrites of ${taskId}`, () => numPendingWrites.call(episode, turns)) }),
  };
}

const MEND_ACT = "answer one { text, isError } for each call, in order";

function checkedObservations(path: string, wanted: number, seen: readonly Observation[]): readonly Observation[] {
  const isList: boolean = Array.isArray(seen);
  if (!isList) throw wrong(path, `answers ${wanted} calls with ${kindOf(seen)}`, MEND_ACT);
  const checked = Array.from(seen, (one) => checkedObservation(path, one));
  const isOver = checked.at(-1)?.isLast === true && checked.length < wanted;
  if (checked.length === wanted || isOver) return checked;
  throw wrong(path, `answers ${wanted} calls with ${kindOf(seen)}`, MEND_ACT);
}

/** Each part is read once, and what stands beside them stays outside. */
function checkedObservation(path: string, seen: Observation | null | undefined): Observation {
  const { text, isError, isLast }: Partial<Observation> = seen ?? {};
  if (typeof text !== "string" || typeof isError !== "boolean")
    throw wrong(path, `answers a call with ${saidOf(seen, text, isError)}, which is no { text, isError }`, MEND_ACT);
  if (!text.isWellFormed())
    throw wrong(path, "answers a call with half of a character: a surrogate without its other", "answer whole characters");
  if (isLast !== undefined && isLast !== true)
    throw wrong(path, `answers a call with ${kindOf(isLast)} for isLast, wanted true or nothing`, MEND_ACT);
  return { text, isError, ...(isLast === undefined ? {} : { isLast }) };
}

const saidOf = (seen: unknown, text: unknown, isError: unknown): string =>
  typeof seen === "object" && seen !== null && !Array.isArray(seen)
    ? `{ text: ${kindOf(text)}, isError: ${kindOf(isError)} }`
    : typeof seen === "string"
      ? JSON.stringify(seen.slice(0, 60))
      : kindOf(seen);

function checkedText(path: string, what: string, text: string | null, resume: World["resume"]): string | null {
  if (text !== null && typeof text !== "string")
    throw wrong(path, `has ${kindOf(text)} as its ${what}, wanted a text or null`, `mend ${what}`);
  if (text !== null || resume === "restart") return text;
  throw wrong(
    path,
    `says resume: ${resume} and has no ${what}, so nothing shows that it went on where it was`,
    "answer a text that is equal for equal states, or say resume: restart",
  );
}

function checkedGrade(path: string, taskId: string, given: Grade): Grade {
  const mend = "mend the episode's grade: { reward: from 0 to 1, passed: true or false, parts: numbers by name }";
  const odd = (what: string) => wrong(path, `grades ${taskId} with ${what}`, mend);
  if (typeof given !== "object" || given === null) throw odd(kindOf(given));
  const grade = { ...given };
  if (!(typeof grade.reward === "number" && grade.reward >= 0 && grade.reward <= 1))
    throw odd(`a reward of ${String(grade.reward)}, which is not from 0 to 1`);
  if (typeof grade.passed !== "boolean") throw odd(`${kindOf(grade.passed)} for passed, wanted true or false`);
  const part = Object.entries(grade.parts ?? {}).find(([, value]) => typeof value !== "number" || !Number.isFinite(value));
  if (typeof grade.parts !== "object" || part !== undefined)
    throw odd(`parts that are no numbers by name (${part === undefined ? kindOf(grade.parts) : part.join(": ")})`);
  if (grade.detail !== undefined && typeof grade.detail !== "string") throw odd(`${kindOf(grade.detail)} for detail, wanted a text`);
  return grade;
}
