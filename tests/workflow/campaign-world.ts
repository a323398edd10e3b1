// A real Temporal server with real workers for many campaigns at once, each with a record of its own in fake activities.
import { fileURLToPath } from "node:url";
import { Context } from "@temporalio/activity";
import { Client, Connection } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { bundleWorkflowCode, NativeConnection, Worker } from "@temporalio/worker";
import type { BudgetConfig, CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { CONTROL_QUEUE, campaignWorkflowId, ROLLOUT_QUEUE, TRAINING_QUEUE } from "#contracts/workflow-ids.ts";
import type { Activities } from "../../activities/index.ts";
import type { campaign } from "../../workflows/campaign.ts";
import {
  approveRewardUpdate,
  type CampaignInput,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  setBudgetUpdate,
  statusQuery,
  stopUpdate,
} from "../../workflows/messages.ts";
import { startTemporalServer, type TemporalServer } from "../support/temporal-server.ts";
import { campaignInput, type FakeOptions, type Fakes, fakeActivities, rebuiltInput, testConfig } from "./fake-activities.ts";

export const SPEAKER = { who: "ana@lab", why: "" };

export class CampaignWorld {
  readonly client: Client;
  readonly #server: TemporalServer;
  readonly #native: NativeConnection;
  readonly #workers: readonly Worker[];
  readonly #areOver: Promise<unknown>;
  readonly #campaigns: Map<string, Fakes>;
  #number = 0;

  private constructor(
    server: TemporalServer,
    client: Client,
    native: NativeConnection,
    workers: readonly Worker[],
    campaigns: Map<string, Fakes>,
  ) {
    this.#server = server;
    this.client = client;
    this.#native = native;
    this.#workers = workers;
    this.#areOver = Promise.all(workers.map((worker) => worker.run()));
    this.#campaigns = campaigns;
  }

  static async open(): Promise<CampaignWorld> {
    const server = await startTemporalServer();
    const client = new Client({ connection: await Connection.connect({ address: server.address }) });
    const native = await NativeConnection.connect({ address: server.address });
    const workflowBundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)) });
    const campaigns = new Map<string, Fakes>();
    const activities = dispatch(campaigns);
    const workers = await Promise.all([
      Worker.create({ connection: native, taskQueue: CONTROL_QUEUE, workflowBundle, activities }),
      Worker.create({ connection: native, taskQueue: ROLLOUT_QUEUE, activities }),
      Worker.create({ connection: native, taskQueue: TRAINING_QUEUE, activities }),
    ]);
    return new CampaignWorld(server, client, native, workers, campaigns);
  }

  get address(): string {
    return this.#server.address;
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.shutdown();
    await this.#areOver;
    await this.client.connection.close();
    await this.#native.close();
    await this.#server.stop();
  }

  /** Runs of a campaign's workflow: more than one when it continued as new. */
  async countRuns(campaignId: string): Promise<number> {
    const runs = await this.runsOf(campaignId);
    return runs.filter(({ workflowId }) => workflowId === campaignWorkflowId(campaignId)).length;
  }

  /** Runs of all workflows of a campaign that has ended. */
  async runsOf(campaignId: string): Promise<{ workflowId: string; runId: string }[]> {
    const root = campaignWorkflowId(campaignId);
    const found: { workflowId: string; runId: string }[] = [];
    for await (const { workflowId, runId } of this.client.workflow.list({ query: `WorkflowId STARTS_WITH "${root}"` }))
      if (workflowId === root || workflowId.startsWith(`${root}/`)) found.push({ workflowId, runId });
    return found;
  }

  /** Makes the workers work for a campaign of this id, whoever starts it. */
  host(id: string, options: FakeOptions): Fakes {
    const fakes = fakeActivities(options);
    this.#campaigns.set(id, fakes);
    return fakes;
  }

  /** Starts a campaign with its own fakes, and ends it when the scenario is over. */
  async run(
    options: FakeOptions,
    overrides: Partial<CampaignConfig>,
    scenario: (running: RunningCampaign) => Promise<void>,
    rest: Partial<CampaignInput> = {},
  ): Promise<void> {
    this.#number += 1;
    const id = `test-${this.#number}`;
    const config = testConfig(overrides);
    const fakes = this.host(id, options);
    const start = (input: CampaignInput) =>
      this.client.workflow.start<typeof campaign>("campaign", {
        workflowId: campaignWorkflowId(id),
        taskQueue: CONTROL_QUEUE,
        args: [input],
        workflowIdConflictPolicy: "USE_EXISTING",
      });
    const running = new RunningCampaign(id, config, fakes, await start(campaignInput(id, config, rest)), start);
    try {
      await scenario(running);
    } finally {
      await running.handle.terminate("test over").catch(() => {});
    }
  }
}

type CampaignHandle = Awaited<ReturnType<Client["workflow"]["start"]>>;

export class RunningCampaign {
  readonly id: string;
  readonly config: CampaignConfig;
  readonly fakes: Fakes;
  readonly start: (input: CampaignInput) => Promise<CampaignHandle>;
  handle: CampaignHandle;

  constructor(
    id: string,
    config: CampaignConfig,
    fakes: Fakes,
    handle: CampaignHandle,
    start: (input: CampaignInput) => Promise<CampaignHandle>,
  ) {
    this.id = id;
    this.config = config;
    this.fakes = fakes;
    this.handle = handle;
    this.start = start;
  }

  get calls(): readonly string[] {
    return this.fakes.calls;
  }

  status(): Promise<CampaignStatus> {
    return this.handle.query(statusQuery);
  }

  async until(isReached: (status: CampaignStatus) => boolean): Promise<CampaignStatus> {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const status = await this.status();
      if (isReached(status)) return status;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`state never reached; last: ${JSON.stringify(await this.status())}`);
  }

  /** Temporal forgets the campaign; it goes on from its record. Its children are left behind, as a lost parent leaves them. */
  async lose(): Promise<void> {
    await this.handle.terminate("lost");
    this.handle = await this.start(rebuiltInput(this.id, this.config, this.fakes));
  }
}

/** Every word that a person can say. */
export const steer = {
  pause: ({ handle }: RunningCampaign) => handle.executeUpdate(pauseUpdate, { args: [SPEAKER] }),
  resume: ({ handle }: RunningCampaign) => handle.executeUpdate(resumeUpdate, { args: [SPEAKER] }),
  approve: ({ handle }: RunningCampaign) => handle.executeUpdate(approveRewardUpdate, { args: [SPEAKER] }),
  reject: ({ handle }: RunningCampaign) => handle.executeUpdate(rejectRewardUpdate, { args: [SPEAKER] }),
  stop: ({ handle }: RunningCampaign, withTest = false) =>
    handle.executeUpdate(stopUpdate, { args: [{ who: SPEAKER.who, why: "enough", withTest }] }),
  budget: ({ handle }: RunningCampaign, budget: BudgetConfig) => handle.executeUpdate(setBudgetUpdate, { args: [{ ...SPEAKER, budget }] }),
};

/** The code that a word was refused with. */
export async function codeOf(refused: Promise<unknown>): Promise<string> {
  try {
    return `answered ${await refused}`;
  } catch (error) {
    let code = "";
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      if (cause instanceof ApplicationFailure && cause.type) code = cause.type;
    return code === "" ? String(error) : code;
  }
}

/** Opens once; all that wait for it go on. */
export function createGate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return { opened, open };
}

/** Activities that find the fakes of the campaign whose workflow calls them. */
function dispatch(campaigns: ReadonlyMap<string, Fakes>): Activities {
  const names = Object.keys(fakeActivities().activities) as (keyof Activities)[];
  const call =
    (name: keyof Activities) =>
    (...args: unknown[]) => {
      const [, id = ""] = Context.current().info.workflowExecution?.workflowId.split("/") ?? [];
      const activity = campaigns.get(id)?.activities[name] as ((...args: unknown[]) => unknown) | undefined;
      if (activity === undefined) throw new Error(`no campaign ${id}`);
      return activity(...args);
    };
  return Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as Activities;
}
