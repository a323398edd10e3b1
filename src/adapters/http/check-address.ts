// Which addresses are spoken to at all.
import { isLoopbackHost } from "#core/campaign/check-policy.ts";
import { CampaignError } from "#core/errors.ts";

/** What is at an address, and which variable of the environment names the hosts that are trusted with it. */
export interface Trust {
  readonly what: string;
  readonly variable: string;
}
const POLICY_SERVERS: Trust = { what: "a policy server", variable: "TURNWISE_POLICY_HOSTS" };

/** Throws config.invalid unless the address is http(s), without credentials in it, and on this machine or an allowed host, where asked. */
export function checkAddress(address: string, allowedHosts?: readonly string[], { what, variable }: Trust = POLICY_SERVERS): void {
  const url = URL.parse(address);
  if (url === null || !["http:", "https:"].includes(url.protocol)) throw refused(address, "it is not an http(s) address");
  if (url.username !== "" || url.password !== "")
    throw refused(url.origin, "it contains credentials; name an environment variable with apiKeyEnv instead");
  if (allowedHosts !== undefined && !isLoopbackHost(url.hostname) && !allowedHosts.includes(url.hostname))
    throw refused(address, `${what} is only spoken to on this machine, or on a host of ${variable}`, {
      next: `where ${url.hostname} is to be trusted: export ${variable}=${url.hostname}, also for the workers`,
    });
}

const refused = (address: string, why: string, details: { next?: string } = {}): CampaignError =>
  new CampaignError("config.invalid", `the endpoint ${address} is refused: ${why}`, details);
