// What a campaign's policy section must agree with: the schema sees every value alone.
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "../errors.ts";

/** Throws config.invalid for a policy that would fail only after the first training step. */
export function checkPolicy({ policy }: Pick<CampaignConfig, "policy">): void {
  if (policy.type !== "vllm") return;
  const refuse = (message: string, next: string) => {
    throw new CampaignError("config.invalid", message, { next });
  };
  const { start, weights, temperature } = policy;
  if (temperature !== 1)
    refuse(
      `policy.temperature is ${temperature}: vLLM scores stored turns at temperature 1 only, so wrong weights could not be told from it`,
      "set policy.temperature: 1",
    );
  if (weights === "full" && start === undefined)
    refuse(
      "policy.weights is full, and a vLLM that runs already cannot take new whole weights",
      "set policy.weights: lora, or let the worker start vLLM with policy.start: {}",
    );
  if (start !== undefined && !isLoopbackHost(hostOf(policy.baseUrl)))
    refuse(`policy.start starts vLLM on this machine, and ${policy.baseUrl} is another one`, "give policy.baseUrl a loopback address");
}

/** Whether a host, as it stands in an address, is this machine. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** Host of an http(s) address, with the brackets of an IPv6 one. */
function hostOf(address: string): string {
  return /^https?:\/\/(\[[^\]]*\]|[^/:?#]*)/.exec(address)?.[1] ?? "";
}
