// The CLI's side of the campaign workflow: start or join, ask, tell. Temporal's errors become ours here.
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import type { UpdateDefinition } from "@temporalio/common";
import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import type { Settings } from "#adapters/settings.ts";
import { findQueueWorkers, pendingActivities } from "#adapters/temporal/queue-workers.ts";
import { CampaignStatus } from "#contracts/campaign-status.ts";
import { isServed } from "#contracts/queue-workers.ts";
import { CONTROL_QUEUE, campaignWorkflowId, iterationWorkflowId, rolloutWorkflowId } from "#contracts/workflow-ids.ts";
import { CampaignError } from "#core/errors.ts";
import type { campaign } from "../../../workflows/campaign.ts";
import { type CampaignInput, type Progress, progressQuery, statusQuery } from "../../../workflows/messages.ts";
import { findWaiting } from "./waiting.ts";
import { hintPlace, noWorker, type Waiting } from "./worker-hint.ts";

/** Of every call to the server. */
const DEADLINE_MILLISECONDS = 10_000;
const EXPLAIN_MILLISECONDS = 3_000;
const CONNECT_MILLISECONDS = 3_000;
/** What training says in its heartbeat. */
const StepDetails = z.object({ step: z.int(), totalSteps: z.int() });

export class CampaignClient {
  private readonly client: Client;
  private readonly settings: Settings;
  private constructor(client: Client, settings: Settings) {
    this.client = client;
    this.settings = settings;
  }

  /** Throws service.not-running when no Temporal server answers. */
  static async connect(settings: Settings): Promise<CampaignClient> {
    try {
      const connection = await Connection.connect({ address: settings.temporalAddress, connectTimeout: CONNECT_MILLISECONDS });
      return new CampaignClient(new Client({ connection, namespace: settings.namespace }), settings);
    } catch (cause) {
      throw new CampaignError("service.not-running", `no Temporal server answers at ${settings.temporalAddress}`, {
        cause,
        next: "turnwise up",
      });
    }
  }

  /** Starts the campaign, or joins the one of this id that runs already. */
  async start(input: CampaignInput): Promise<void> {
    try {
      await this.withDeadline(() =>
        this.client.workflow.start<typeof campaign>("campaign", {
          workflowId: campaignWorkflowId(input.campaignId),
          taskQueue: CONTROL_QUEUE,
          args: [input],
          workflowIdConflictPolicy: "USE_EXISTING",
          workflowIdReusePolicy: "ALLOW_DUPLICATE",
        }),
      );
    } catch (error) {
      throw await this.explain(error);
    }
  }

  /** What the campaign says of itself, with the progress of the stage that runs; null when Temporal does not know it or it has ended. */
  async status(campaignId: string): Promise<CampaignStatus | null> {
    const handle = this.client.workflow.getHandle(campaignWorkflowId(campaignId));
    try {
      const { status } = await this.withDeadline(() => handle.describe());
      if (status.name !== "RUNNING") return null;
      const answer = CampaignStatus.parse(await this.withDeadline(() => handle.query(statusQuery)));
      return { ...answer, progress: await this.stageProgress(answer) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw await this.explain(error);
    }
  }

  /** Why a campaign that runs does not go on at this moment; null when it does, or nobody can tell. */
  async waiting(status: CampaignStatus): Promise<Waiting | null> {
    if (status.state !== "running" && status.state !== "starting") return null;
    try {
      return await this.withDeadline(() => findWaiting(this.client, status, hintPlace(this.settings)));
    } catch (error) {
      if (serviceWords(error) !== null) return null; // the status itself will tell
      throw error;
    }
  }

  /** Sends an update and answers what the campaign says. Throws campaign.not-running or, when it refuses, the reason. */
  async tell(campaignId: string, update: Pick<UpdateDefinition<string>, "name">, argument?: string): Promise<string> {
    try {
      const handle = this.client.workflow.getHandle(campaignWorkflowId(campaignId));
      const options = argument === undefined ? {} : { args: [argument] as [string] };
      return await this.withDeadline(() => handle.executeUpdate<string, [string]>(update.name, options as { args: [string] }));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) {
        throw new CampaignError("campaign.not-running", `campaign ${campaignId} is not running`, {
          next: `turnwise campaign show ${campaignId}`,
        });
      }
      if (error instanceof WorkflowUpdateFailedError) throw refused(error, campaignId);
      throw await this.explain(error);
    }
  }

  async close(): Promise<void> {
    await this.client.connection.close();
  }

  private async stageProgress({ campaignId, iteration, stage }: CampaignStatus): Promise<Progress | null> {
    if (stage === "training") return this.trainingProgress(campaignId, iteration);
    if (stage !== "rollout" && stage !== "evaluation" && stage !== "base-evaluation") return null;
    const id = rolloutWorkflowId(campaignId, iteration, stage === "rollout" ? "train" : "evaluation");
    try {
      return await this.withDeadline(() => this.client.workflow.getHandle(id).query(progressQuery));
    } catch {
      return null; // the rollouts have not begun, or are over: the stage alone says where the campaign is
    }
  }

  /** Optimizer steps done, from the trainer's last event in the activity's heartbeat. */
  private async trainingProgress(campaignId: string, iteration: number): Promise<Progress | null> {
    const pending = await this.withDeadline(() => pendingActivities(this.client, iterationWorkflowId(campaignId, iteration))).catch(
      () => [],
    );
    const steps = StepDetails.safeParse(pending[0]?.details).data;
    return steps === undefined ? null : { done: steps.step, total: steps.totalSteps };
  }

  /** What a failed call means: nobody works for the workflows' queue, or nobody answers. */
  private async explain(error: unknown): Promise<unknown> {
    const said = serviceWords(error);
    if (said === null) return error;
    const workers = await this.withDeadline(() => findQueueWorkers(this.client, CONTROL_QUEUE), EXPLAIN_MILLISECONDS).catch(() => null);
    if (workers !== null && !isServed(workers)) {
      const { message, next } = noWorker(CONTROL_QUEUE, hintPlace(this.settings));
      return new CampaignError("service.no-worker", message, { cause: error, ...(next === null ? {} : { next }) });
    }
    return new CampaignError("service.not-running", `the Temporal server or its workers do not answer: ${said}`, {
      cause: error,
      next: "turnwise status",
    });
  }

  private withDeadline<Result>(call: () => Promise<Result>, milliseconds = DEADLINE_MILLISECONDS): Promise<Result> {
    return this.client.withDeadline(Date.now() + milliseconds, call);
  }
}

/** What the server or the connection says, which the client wraps in different errors for different calls; null for any other failure. */
function serviceWords(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause.details || cause.message;
  }
  return null;
}

function refused(error: WorkflowUpdateFailedError, campaignId: string): CampaignError {
  const code =
    error.cause instanceof ApplicationFailure && error.cause.type === "campaign.not-waiting" ? "campaign.not-waiting" : "contract.invalid";
  return new CampaignError(code, error.cause?.message ?? error.message, { cause: error, next: `turnwise campaign show ${campaignId}` });
}
