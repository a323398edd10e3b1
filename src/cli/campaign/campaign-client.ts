// The CLI's side of the campaign workflow: start or join, ask, tell. Temporal's errors become ours here.
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import type { UpdateDefinition } from "@temporalio/common";
import { ApplicationFailure } from "@temporalio/common";
import type { Settings } from "#adapters/settings.ts";
import { CampaignStatus } from "#contracts/campaign-status.ts";
import { CONTROL_QUEUE, campaignWorkflowId, iterationWorkflowId, rolloutWorkflowId } from "#contracts/workflow-ids.ts";
import { CampaignError } from "#core/errors.ts";
import type { campaign } from "../../../workflows/campaign.ts";
import { type CampaignInput, type Progress, progressQuery, statusQuery } from "../../../workflows/messages.ts";

const DEADLINE_MILLISECONDS = 10_000;

export class CampaignClient {
  private readonly client: Client;
  private constructor(client: Client) {
    this.client = client;
  }

  /** Throws service.not-running when no Temporal server answers. */
  static async connect(settings: Settings): Promise<CampaignClient> {
    try {
      const connection = await Connection.connect({ address: settings.temporalAddress, connectTimeout: 3_000 });
      return new CampaignClient(new Client({ connection, namespace: settings.namespace }));
    } catch (cause) {
      throw new CampaignError("service.not-running", `no Temporal server answers at ${settings.temporalAddress}`, {
        cause,
        next: "turnwise up",
      });
    }
  }

  /** Starts the campaign, or joins the one of this id that runs already. */
  async start(input: CampaignInput): Promise<void> {
    await this.client.workflow.start<typeof campaign>("campaign", {
      workflowId: campaignWorkflowId(input.campaignId),
      taskQueue: CONTROL_QUEUE,
      args: [input],
      workflowIdConflictPolicy: "USE_EXISTING",
      workflowIdReusePolicy: "ALLOW_DUPLICATE",
    });
  }

  /** What the campaign says of itself, with the progress of the stage that runs; null when Temporal does not know it or it has ended. */
  async status(campaignId: string): Promise<CampaignStatus | null> {
    const handle = this.client.workflow.getHandle(campaignWorkflowId(campaignId));
    try {
      const { status } = await handle.describe();
      if (status.name !== "RUNNING") return null;
      const answer = CampaignStatus.parse(await this.withDeadline(() => handle.query(statusQuery)));
      return { ...answer, progress: await this.stageProgress(answer) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw unreachable(error);
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
      throw unreachable(error);
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
    try {
      const { raw } = await this.client.workflow.getHandle(iterationWorkflowId(campaignId, iteration)).describe();
      const data = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0]?.data;
      if (data === undefined || data === null) return null;
      const details: unknown = JSON.parse(Buffer.from(data).toString("utf8"));
      if (typeof details !== "object" || details === null || !("step" in details) || !("totalSteps" in details)) return null;
      return { done: Number(details.step), total: Number(details.totalSteps) };
    } catch {
      return null;
    }
  }

  private withDeadline<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.client.withDeadline(Date.now() + DEADLINE_MILLISECONDS, call);
  }
}

function refused(error: WorkflowUpdateFailedError, campaignId: string): CampaignError {
  const code =
    error.cause instanceof ApplicationFailure && error.cause.type === "campaign.not-waiting" ? "campaign.not-waiting" : "contract.invalid";
  return new CampaignError(code, error.cause?.message ?? error.message, { cause: error, next: `turnwise campaign show ${campaignId}` });
}

function unreachable(error: unknown): unknown {
  if (!isGrpcServiceError(error)) return error;
  return new CampaignError("service.not-running", `the Temporal server or its workers do not answer: ${error.details || error.message}`, {
    cause: error,
    next: "turnwise status",
  });
}
