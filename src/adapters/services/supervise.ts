// The supervisor process of a stack: gets its plan from the process that starts it, says when the stack is ready, and ends it on SIGTERM.
// Until it is released, and for good when it never is, it ends when the starter does: the channel between them is its lifeline.
import { pino } from "pino";
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { logStream } from "./log-stream.ts";
import { StackPlan } from "./service-spec.ts";
import { Supervisor } from "./supervisor.ts";

const Message = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("start"), plan: StackPlan }),
  z.strictObject({ type: z.literal("release") }),
]);

const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, logStream());
let supervisor: Supervisor | null = null;
let isReleased = false;

async function start(plan: StackPlan): Promise<void> {
  supervisor = new Supervisor(plan, (event) => {
    log.info(event);
    notify({ type: "event", ...event });
  });
  try {
    await supervisor.start();
    log.info("the stack is ready");
    notify({ type: "ready" });
  } catch (error) {
    log.error(error);
    const { code, message, next } =
      error instanceof CampaignError ? error : { code: "service.start-failed", message: String(error), next: null };
    process.send?.({ type: "failed", code, message, next }, () => process.exit(1));
    if (process.send === undefined) process.exit(1);
  }
}

async function stop(why: string): Promise<void> {
  log.info(`stopping: ${why}`);
  await supervisor?.stop();
  log.info("stopped");
  process.exit(0);
}

function notify(message: object): void {
  if (process.connected) process.send?.(message, () => {});
}

process.on("message", (raw) => {
  const message = Message.parse(raw);
  if (message.type === "start") void start(message.plan);
  else {
    isReleased = true;
    process.disconnect();
  }
});
process.on("disconnect", () => {
  if (!isReleased) void stop("the process that started the stack has ended");
});
process.on("SIGTERM", () => void stop("SIGTERM"));
process.on("SIGINT", () => void stop("SIGINT"));
