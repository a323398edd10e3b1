// turnwise up, down, status: the local services. turnwise doctor: what is installed and what is not.
import { type Command, Option } from "commander";
import {
  type PortName,
  readServices,
  SERVICE_NAMES,
  type ServiceName,
  type ServiceReport,
  type StackReport,
  startServices,
  stopServices,
} from "#application/services/services.ts";
import { formatDuration } from "#core/format.ts";
import { sayIgnored } from "../ignored-variables.ts";
import { interruptSignal } from "../interrupt.ts";
import { emit, type OutputOptions, renderPairs, renderTable } from "../output.ts";
import { style } from "../style.ts";

interface UpOptions extends OutputOptions, Partial<Record<`${PortName}Port`, string>> {
  readonly foreground?: boolean;
  readonly without?: readonly ServiceName[];
}

const NOT_RUNNING_EXIT_CODE = 3;

export function registerServices(program: Command): void {
  program
    .command("up")
    .option("--temporal-port <port>", "default 7233, or TURNWISE_TEMPORAL_PORT")
    .option("--temporal-ui-port <port>", "default 8233, or TURNWISE_TEMPORAL_UI_PORT")
    .option("--mlflow-port <port>", "default 5050, or TURNWISE_MLFLOW_PORT")
    .option("--policy-port <port>", "default 8620, or TURNWISE_POLICY_PORT")
    .addOption(new Option("--without <service...>", "leave services out, because they run elsewhere").choices(SERVICE_NAMES))
    .option("--foreground", "stay, and stop everything on Ctrl-C")
    .option("--json")
    .action(up);
  program.command("down").option("--json").action(down);
  program.command("status").option("--json").action(status);
}

async function up(options: UpOptions): Promise<void> {
  const interrupt = interruptSignal();
  const isQuiet = options.json === true;
  if (!isQuiet) sayIgnored();
  const stack = await startServices({
    ports: chosenPorts(options),
    without: options.without ?? [],
    endsWithUs: options.foreground === true,
    onEvent: (service, what) => {
      if (!isQuiet) console.error(style.dim(`${service.padEnd(9)} ${what}`));
    },
  });
  if (!stack.isNew && !isQuiet) console.error("the stack is running already");
  report(await stack.report(), options);
  if (options.foreground !== true || !stack.isNew) return;
  if (!isQuiet) console.error("Ctrl-C stops everything");
  await new Promise<void>((done) => {
    const keepAlive = setInterval(() => {}, 60_000);
    const finish = () => {
      clearInterval(keepAlive);
      done();
    };
    if (interrupt.aborted) finish();
    else interrupt.addEventListener("abort", finish, { once: true });
  });
  await stack.stop();
}

function chosenPorts(options: UpOptions): Partial<Record<PortName, string>> {
  return Object.fromEntries(
    (["temporal", "temporalUi", "mlflow", "policy"] as const).flatMap((name) => {
      const text = options[`${name}Port`];
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

async function down(options: OutputOptions): Promise<void> {
  const ended = await stopServices((running, maxSeconds) =>
    console.error(
      style.dim(`waiting for ${running.join(", ")}: work in flight is saved first, which may take ${formatDuration(maxSeconds)}`),
    ),
  );
  emit({ ended }, options, () => (ended.length === 0 ? "nothing was running" : `stopped ${ended.join(", ")}`));
}

async function status(options: OutputOptions): Promise<void> {
  const { home, stack } = await readServices();
  if (stack !== null) return report(stack, options);
  process.exitCode = NOT_RUNNING_EXIT_CODE;
  emit({ isRunning: false, home }, options, () => `no services run in ${home}\n  ${style.dim("next:")} turnwise up`);
}

function report({ home, endpoints, services }: StackReport, options: OutputOptions): void {
  emit({ isRunning: true, home, endpoints, services }, options, () =>
    [
      renderTable(
        [
          { header: "service", value: ({ name }) => name },
          { header: "state", value: describeState },
          { header: "pid", align: "right", value: (service) => String(service.process?.pid ?? "") },
          { header: "port", align: "right", value: ({ ports }) => Object.values(ports).join(" ") },
          { header: "up", align: "right", value: ({ uptimeSeconds }) => formatDuration(uptimeSeconds) },
          { header: "restarts", align: "right", value: ({ restarts }) => String(restarts) },
          { header: "last end", value: ({ lastExit }) => lastExit ?? "" },
        ],
        services,
      ),
      "",
      renderPairs([
        ["Temporal", endpoints.temporalUiUrl],
        ["MLflow", endpoints.mlflowUrl],
        ["logs", `${home}/logs`],
      ]),
    ].join("\n"),
  );
}

function describeState({ status: state, isHealthy }: ServiceReport): string {
  if (state === "ready") return isHealthy ? style.green("ready") : style.red("does not answer");
  return state === "failing" ? style.red(state) : style.yellow(state);
}
