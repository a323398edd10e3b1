import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseProxy, describeProxy, isThisMachine, type Variables } from "#adapters/http/choose-proxy.ts";
import { requireProxyAgents } from "#adapters/http/keep-alive-fetch.ts";

const PROXY = "http://proxy.corp:3128";
const through = (target: string, environment: Variables) => chooseProxy(new URL(target), environment)?.url.href ?? null;

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/).filter((text) => text !== "localhost");
const hostName = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
const scheme = fc.constantFrom("http", "https");
const proxyVariable = fc.constantFrom("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY");
const thisMachine = fc.oneof(
  fc.constantFrom(
    "localhost",
    "LOCALHOST",
    "localhost.",
    "model.localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "0.0.0.0",
    "127.1",
    "2130706433",
  ),
  fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => `127.${bytes.join(".")}`),
);

describe("what is on this machine", () => {
  test("is asked through no proxy, whatever the variables say", () => {
    fc.assert(
      fc.property(scheme, thisMachine, fc.integer({ min: 1, max: 65535 }), fc.array(proxyVariable), (protocol, host, port, variables) => {
        const environment = Object.fromEntries(variables.map((name) => [name, PROXY]));
        expect(through(`${protocol}://${host}:${port}/v1`, environment)).toBeNull();
      }),
    );
  });

  test.each(["localhost.example.org", "127.0.0.1.example.org", "128.0.0.1", "10.0.0.1", "[::2]", "notlocalhost"])("is not %s", (host) => {
    expect(isThisMachine(new URL(`http://${host}/`).hostname)).toBe(false);
  });
});

describe("a host elsewhere", () => {
  test("is asked through the proxy of its scheme, in lower or upper case, else through that of all", () => {
    fc.assert(
      fc.property(scheme, hostName, proxyVariable, (protocol, host, variable) => {
        const applies = ["all_proxy", `${protocol}_proxy`].includes(variable.toLowerCase());
        expect(through(`${protocol}://${host}/v1`, { [variable]: PROXY })).toBe(applies ? `${PROXY}/` : null);
      }),
    );
  });

  test("prefers lower case, its own scheme, and what is not empty", () => {
    const target = "https://api.example.org/v1";
    expect(through(target, { HTTPS_PROXY: "http://upper:1", https_proxy: "http://lower:1" })).toBe("http://lower:1/");
    expect(through(target, { HTTPS_PROXY: "http://upper:1", https_proxy: " " })).toBe("http://upper:1/");
    expect(through(target, { ALL_PROXY: "http://all:1", HTTPS_PROXY: "http://upper:1" })).toBe("http://upper:1/");
    expect(through(target, { https_proxy: "", HTTPS_PROXY: "", ALL_PROXY: "" })).toBeNull();
  });

  test("takes a proxy without a scheme, as curl does", () => {
    expect(through("http://api.example.org/", { http_proxy: "proxy.corp:3128" })).toBe("http://proxy.corp:3128/");
  });
});

describe("no_proxy", () => {
  const exempt = (host: string, list: string, port = "") =>
    ["no_proxy", "NO_PROXY"].map((name) => through(`https://${host}${port}/v1`, { HTTPS_PROXY: PROXY, [name]: list }) === null);
  const both = (value: boolean) => [value, value];

  test("names a host and all below it, with or without a dot or a star before it, in any case", () => {
    fc.assert(
      fc.property(
        hostName,
        fc.constantFrom("", ".", "*."),
        fc.option(label, { nil: null }),
        fc.boolean(),
        (name, before, below, isUpper) => {
          const host = below === null ? name : `${below}.${name}`;
          const entry = isUpper ? `${before}${name}`.toUpperCase() : `${before}${name}`;
          expect(exempt(host, `other.test, ${entry}`)).toEqual(both(true));
        },
      ),
    );
  });

  test("never names a host that only ends in the same letters", () => {
    fc.assert(
      fc.property(hostName, label, (name, letters) => {
        expect(exempt(`${letters}${name}`, name)).toEqual(both(false));
      }),
    );
  });

  test("with a port names that port, the scheme's own included", () => {
    fc.assert(
      fc.property(hostName, fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }), (name, asked, listed) => {
        expect(exempt(name, `${name}:${listed}`, `:${asked}`)).toEqual(both(asked === listed));
        expect(exempt(name, `${name}:443`)).toEqual(both(true));
        expect(exempt(name, `${name}:${listed}`)).toEqual(both(listed === 443));
      }),
    );
  });

  test.each([
    ["api.example.org", "*", true],
    ["api.example.org", "  ,, *", true],
    ["api.example.org", "other.org api.example.org", true],
    ["api.example.org.", "example.org", true],
    ["api.example.org", "https://api.example.org/", true],
    ["api.example.org", "org.example", false],
    ["api.example.org", ",", false],
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.*", true],
    ["10.1.2.3", "10.1.2.3/99", false],
    ["[fd00::1]", "fd00::1", true],
    ["[fd00::1]", "[fd00:0:0::1]", true],
    ["[fd00::1]", "fd00::/8", true],
    ["[fe00::1]", "fd00::/8", false],
    ["api.example.org", "api-*.example.org", false],
    ["api-7.example.org", "api-*.example.org", true],
  ])("%s is exempt by %j: %s", (host, list, is) => {
    expect(exempt(host, list)).toEqual(both(is));
  });

  test("is read from whatever a shell holds without a failure", () => {
    fc.assert(
      fc.property(fc.string(), hostName, (list, host) => {
        expect([PROXY.concat("/"), null]).toContain(through(`https://${host}/`, { https_proxy: PROXY, no_proxy: list }));
      }),
    );
  });
});

describe("a proxy", () => {
  test.each(["socks5://user:sesame@proxy:1080", "socks4a://user:sesame@proxy", "ftp://user:sesame@proxy", "http://user:sesame@:99999"])(
    "%s is refused, by its variable and without its credentials",
    (value) => {
      const failure = (() => {
        try {
          return chooseProxy(new URL("https://api.example.org/v1"), { ALL_PROXY: value });
        } catch (error) {
          return error;
        }
      })();
      expect(failure).toMatchObject({
        code: "config.invalid",
        message: expect.stringContaining("ALL_PROXY"),
        next: expect.stringContaining("NO_PROXY"),
      });
      expect(JSON.stringify([String(failure), failure])).not.toContain("sesame");
    },
  );

  test("that does not apply may be anything", () => {
    expect(through("http://127.0.0.1:1/", { ALL_PROXY: "socks5://proxy" })).toBeNull();
    expect(through("https://api.example.org/", { ALL_PROXY: "socks5://proxy", NO_PROXY: "example.org" })).toBeNull();
  });

  test("is described without its credentials", () => {
    const chosen = chooseProxy(new URL("https://api.example.org/"), { HTTPS_PROXY: "http://user:sesame@proxy.corp:3128" });
    expect(chosen && describeProxy(chosen)).toBe("the proxy http://proxy.corp:3128 of HTTPS_PROXY");
  });

  test.each([
    ["22.20.0", false],
    ["22.21.0", true],
    ["23.11.0", false],
    ["24.4.1", false],
    ["24.5.0", true],
    ["24.21.0", true],
    ["25.0.0", true],
  ])("Node %s speaks through one: %s", (version, does) => {
    const proxy = { url: new URL(PROXY), variable: "HTTPS_PROXY" };
    const require = () => requireProxyAgents(proxy, version);
    if (does) expect(require).not.toThrow();
    else expect(require).toThrow(expect.objectContaining({ code: "config.invalid", message: expect.stringContaining("HTTPS_PROXY") }));
  });
});
