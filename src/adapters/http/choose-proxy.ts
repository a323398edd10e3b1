// Which proxy a request goes through, by the variables that curl reads: https_proxy, http_proxy, all_proxy and no_proxy, in lower or upper
// case, the lower first. What is on this machine is never asked through a proxy.
import { BlockList, isIP } from "node:net";
import { CampaignError } from "#core/errors.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface ChosenProxy {
  /** With its credentials, if it has any: for the connection only, never for a message. */
  readonly url: URL;
  /** That names it, for messages. */
  readonly variable: string;
}

/** Null: straight to the host. Throws config.invalid, without its value, for a variable that applies and names no HTTP proxy. */
export function chooseProxy(target: URL, environment: Variables): ChosenProxy | null {
  const own = target.protocol === "https:" ? "https_proxy" : "http_proxy";
  const variable = firstSet([own, "all_proxy"], environment);
  if (variable === null || isThisMachine(target.hostname) || isExempt(target, environment)) return null;
  const url = proxyUrl(environment[variable] ?? "");
  if (url !== null && ["http:", "https:"].includes(url.protocol)) return { url, variable };
  const what = url === null ? "is not the address of a proxy" : `names a proxy of the kind ${url.protocol.slice(0, -1)}`;
  throw new CampaignError("config.invalid", `${variable} ${what}, and ${target.host} would be asked through it`, {
    next: `give an HTTP proxy (export ${own.toUpperCase()}=http://HOST:PORT), or go without: export NO_PROXY=${target.hostname}`,
  });
}

/** What a message may show of a proxy: where it is, and who said so. */
export const describeProxy = ({ url, variable }: ChosenProxy): string => `the proxy ${url.protocol}//${url.host} of ${variable}`;

/** By name in lower case, each also in upper case. Empty is as unset. */
function firstSet(names: readonly string[], environment: Variables): string | null {
  return names.flatMap((name) => [name, name.toUpperCase()]).find((name) => (environment[name] ?? "").trim() !== "") ?? null;
}

/** `proxy:3128` is as good as `http://proxy:3128`. */
function proxyUrl(text: string): URL | null {
  const trimmed = text.trim();
  return URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`);
}

const THIS_MACHINE = new BlockList();
THIS_MACHINE.addSubnet("127.0.0.0", 8);
THIS_MACHINE.addAddress("0.0.0.0");
THIS_MACHINE.addAddress("::1", "ipv6");
THIS_MACHINE.addAddress("::", "ipv6");

/** By a host as a URL has it. */
export function isThisMachine(hostname: string): boolean {
  const host = plainHost(hostname);
  return isIP(host) === 0 ? /^(.+\.)?localhost$/.test(host) : isListed(THIS_MACHINE, host);
}

/** Without the brackets of IPv6 and the dot of an absolute name. */
const plainHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
const isListed = (list: BlockList, address: string): boolean => list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

function isExempt(target: URL, environment: Variables): boolean {
  const variable = firstSet(["no_proxy"], environment);
  const entries = variable === null ? [] : (environment[variable] ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  const host = plainHost(target.hostname);
  const port = target.port === "" ? (target.protocol === "https:" ? "443" : "80") : target.port;
  return entries.some((entry) => matches(entry.toLowerCase(), host, port));
}

/** `*`, a name with all below it (`example.org`, `.example.org`, `*.example.org`), an address, a network (`10.0.0.0/8`); with or without a port. */
function matches(entry: string, host: string, port: string): boolean {
  const { 1: name = "", 2: wantedPort } =
    /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry.replace(/^[a-z]+:\/\//, "").replace(/\/$/, "")) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (name === "*") return true;
  if (isIP(host) !== 0) return matchesAddress(name, host);
  const wanted = plainHost(name).replace(/^\*?\./, "");
  return wanted !== "" && (host === wanted || host.endsWith(`.${wanted}`) || (wanted.includes("*") && wildcard(wanted).test(host)));
}

function matchesAddress(name: string, host: string): boolean {
  const [address = "", bits] = plainHost(name).split("/");
  if (isIP(address) === 0) return address.includes("*") && wildcard(address).test(host);
  const list = new BlockList();
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (bits === undefined) list.addAddress(address, family);
  else if (/^\d+$/.test(bits) && Number(bits) <= (family === "ipv6" ? 128 : 32)) list.addSubnet(address, Number(bits), family);
  return isListed(list, host);
}

const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );
