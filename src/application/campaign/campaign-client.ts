// The CLI's side of the campaign workflow: start or join, ask, tell. Temporal's errors become ours here.
import {
  Client,
  Connection,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from "@temporalio/client";
import type { UpdateDefinition } from "@temporalio/common";
import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import type { Settings } from "#adapters/settings.ts";
import { connectionTo } from "#adapters/temporal/connection.ts";
import { findQueueWorkers, pendingActivities } from "#adapters/temporal/queue-workers.ts";
import { CampaignStatus, type StateName } from "#contracts/campaign-status.ts";
import { isServed } from "#contracts/queue-workers.ts";
import { CONTROL_QUEUE, campaignWorkflowId, iterationWorkflowId } from "#contracts/workflow-ids.ts";
import { CampaignError, ERROR_CODES } from "#core/errors.ts";
import type { campaign } from "../../../workflows/campaign.ts";
import { type CampaignInput, type Progress, progressQuery, type Speaker, statusQuery } from "../../../workflows/messages.ts";
import { rolloutWorkflows } from "./stage-workflows.ts";
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
      const connection = await Connection.connect({ ...connectionTo(settings.temporalAddress), connectTimeout: CONNECT_MILLISECONDS });
      return new CampaignClient(new Client({ connection, namespace: settings.namespace }), settings);
    } catch (cause) {
      throw new CampaignError("service.not-running", `no Temporal server answers at ${settings.temporalAddress}`, {
        cause,
        next: "turnwise up",
      });
    }
  }

  /**
   * Starts the campaign, or joins the one of this id that runs already. A workflow that an earlier release left behind is ended first: this
   * one cannot replay it, and the record has all that it did.
   */
  async start(input: CampaignInput): Promise<"started" | "joined" | "taken-over"> {
    const isTakenOver = await this.endEarlier(input.campaignId, input.state.progress.nextIteration);
    try {
      await this.withDeadline(() =>
        this.client.workflow.start<typeof campaign>("campaign", {
          workflowId: campaignWorkflowId(input.campaignId),
          taskQueue: CONTROL_QUEUE,
          args: [input],
          workflowIdReusePolicy: "ALLOW_DUPLICATE",
        }),
      );
      return isTakenOver ? "taken-over" : "started";
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return "joined";
      throw await this.explain(error);
    }
  }

  /** What the campaign says of itself, with the progress of the stage that runs; null when Temporal does not know it or it has ended. */
  async status(campaignId: string): Promise<CampaignStatus | null> {
    const handle = this.client.workflow.getHandle(campaignWorkflowId(campaignId));
    try {
      if (!(await this.isOurs(handle))) return null;
      const answer = CampaignStatus.parse(await this.withDeadline(() => handle.query(statusQuery)));
      return { ...answer, progress: await this.stageProgress(answer) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw await this.explain(error);
    }
  }

  /** Why a campaign that runs does not go on at this moment; null when it does, or nobody can tell. */
  async waiting(status: CampaignStatus): Promise<Waiting | null> {
    if (status.state !== "running") return null;
    try {
      return await this.withDeadline(() => findWaiting(this.client, status, hintPlace(this.settings)));
    } catch (error) {
      if (serviceWords(error) !== null) return null; // the status itself will tell
      throw error;
    }
  }

  /** Sends an update and answers the state that it led to. Throws campaign.not-running or, when the campaign refuses, the reason. */
  async steer<Args extends [Speaker]>(campaignId: string, update: UpdateDefinition<StateName, Args>, ...args: Args): Promise<StateName> {
    try {
      const handle = this.client.workflow.getHandle(campaignWorkflowId(campaignId));
      if (!(await this.isOurs(handle))) throw notRunning(campaignId);
      return await this.withDeadline(() => handle.executeUpdate<StateName, [Speaker]>(update.name, { args: args as [Speaker] }));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw notRunning(campaignId);
      if (error instanceof WorkflowUpdateFailedError) throw refused(error, campaignId);
      throw await this.explain(error);
    }
  }

  /** Whether it runs, and as a workflow of this release. */
  private async isOurs(handle: WorkflowHandle): Promise<boolean> {
    const { status, taskQueue } = await this.withDeadline(() => handle.describe());
    return status.name === "RUNNING" && taskQueue === CONTROL_QUEUE;
  }

  /** Ends the workflows of a campaign that run on the queue of an earlier release. True when there was one. */
  private async endEarlier(campaignId: string, iteration: number): Promise<boolean> {
    const ids = [
      campaignWorkflowId(campaignId),
      iterationWorkflowId(campaignId, iteration),
      ...["train", "evaluation"].map((purpose) => `${iterationWorkflowId(campaignId, iteration)}/rollout/${purpose}`),
    ];
    const ended = await Promise.all(ids.map((id) => this.endIfEarlier(id)));
    return ended.some(Boolean);
  }

  private async endIfEarlier(workflowId: string): Promise<boolean> {
    const handle = this.client.workflow.getHandle(workflowId);
    try {
      const { status, taskQueue } = await this.withDeadline(() => handle.describe());
      if (status.name !== "RUNNING" || taskQueue === CONTROL_QUEUE) return false;
      await this.withDeadline(() => handle.terminate("of an earlier release; the campaign goes on from its record"));
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw await this.explain(error);
    }
  }

  async close(): Promise<void> {
    await this.client.connection.close();
  }

  private async stageProgress(status: CampaignStatus): Promise<Progress | null> {
    if (status.stage === "training") return this.trainingProgress(status.campaignId, status.iteration);
    const progress = await Promise.all(rolloutWorkflows(status).map((id) => this.rolloutProgress(id)));
    return progress.find((found) => found !== null && found.done < found.total) ?? progress.findLast((found) => found !== null) ?? null;
  }

  private async rolloutProgress(workflowId: string): Promise<Progress | null> {
    try {
      return await this.withDeadline(() => this.client.workflow.getHandle(workflowId).query(progressQuery));
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
  const found = causesOf(error).find((cause) => isGrpcServiceError(cause));
  return found === undefined ? null : found.details || found.message;
}

function notRunning(campaignId: string): CampaignError {
  return new CampaignError("campaign.not-running", `campaign ${campaignId} is not running`, {
    next: `turnwise campaign resume ${campaignId}`,
  });
}

/** The campaign refuses a word with a code of its own, or with that of the failure that kept the word out of the record. */
function refused(error: WorkflowUpdateFailedError, campaignId: string): CampaignError {
  const causes = causesOf(error).filter((cause) => cause instanceof ApplicationFailure);
  const code = causes.map(({ type }) => ERROR_CODES.find((known) => known === type)).findLast((known) => known !== undefined);
  const message = causes.at(-1)?.message ?? error.message;
  return new CampaignError(code ?? "contract.invalid", message, { cause: error, next: `turnwise campaign show ${campaignId}` });
}

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}
