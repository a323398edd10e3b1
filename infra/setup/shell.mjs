// What a child of ours is given of the shell that we were started in. The one place that builds a child's environment.
//
// A person's shell is set up for other work: another Temporal server, another Python, another job's ranks. Each rule below names settings
// that a program of ours would obey and that were meant for another one; they are left out, and `turnwise doctor` names those that are
// set. Everything else is handed on, proxies, certificates, registries, caches and device settings among it: those are about this machine.

/**
 * @typedef {object} Rule
 * @property {string} settings whose they are, in words
 * @property {"set-up" | "stack"} of which part of Turnwise would have obeyed them
 * @property {(name: string, value: string) => boolean} matches
 */

/** @param {readonly string[]} names @returns {(name: string) => boolean} */
const named = (names) => {
  const set = new Set(names);
  return (name) => set.has(name);
};

const words = (/** @type {string} */ text) => text.trim().split(/\s+/);

/** How pip and uv reach, keep and tell of packages; the rest of their settings say what is installed, and where. */
const REACHING_PIP =
  /^PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|CERT|CLIENT_CERT|PROXY|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|RESUME_RETRIES|CACHE_DIR|NO_CACHE_DIR|CONFIG_FILE|KEYRING_PROVIDER|DISABLE_PIP_VERSION_CHECK|NO_INPUT|NO_COLOR|PROGRESS_BAR|ROOT_USER_ACTION|LOG|QUIET|VERBOSE)$/;
const REACHING_UV =
  /^UV_(DEFAULT_INDEX|INDEX|INDEX_.+|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS|HTTP_.+|REQUEST_TIMEOUT|KEYRING_PROVIDER|OFFLINE|CACHE_DIR|NO_CACHE|CONCURRENT_.+|LINK_MODE|LOCK_TIMEOUT|CONFIG_FILE|NO_CONFIG|CREDENTIALS_DIR|NO_PROGRESS|COMPILE_BYTECODE)$/;

const GIT = `GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_NAMESPACE GIT_PREFIX GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
  GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_GRAFT_FILE GIT_SHALLOW_FILE GIT_REPLACE_REF_BASE GIT_NO_REPLACE_OBJECTS
  GIT_IMPLICIT_WORK_TREE GIT_CEILING_DIRECTORIES GIT_EXTERNAL_DIFF`;
const RANKS = `RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE GROUP_RANK GROUP_WORLD_SIZE ROLE_RANK ROLE_NAME ROLE_WORLD_SIZE
  MASTER_ADDR MASTER_PORT`;
const GO = `GOFLAGS GO111MODULE GOOS GOARCH GOARM GOARM64 GOAMD64 GO386 GOROOT GOWORK GOEXPERIMENT GOTOOLCHAIN GOFIPS140 CGO_ENABLED`;
const NPM = `omit only also include production dev optional global location dry_run package_lock package_lock_only shrinkwrap workspace workspaces
  include_workspace_root os cpu libc install_strategy global_style legacy_bundling install_links bin_links before min_release_age`;
const PYTHON_SWITCHES = `PYTHON_GIL PYTHON_JIT PYTHON_PERF_JIT_SUPPORT PYTHON_CPU_COUNT PYTHON_PRESITE PYTHON_TLBC PYTHON_LAZY_IMPORTS
  PYTHON_THREAD_INHERIT_CONTEXT PYTHON_CONTEXT_AWARE_WARNINGS __PYVENV_LAUNCHER__`;

/** A preloaded module or a debugger belongs to the program it was set for; sizes of memory, certificates and the like are about the machine. */
const PRELOADS = /(^|\s)["']?(-r|--require|--import|--loader|--experimental-loader|--inspect\S*|--preserve-symlinks\S*)(["'=\s]|$)/;

const isNpm = named(words(NPM));
const isPythonSwitch = named(words(PYTHON_SWITCHES));
const isServer = named(["WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"]);
const isRank = named(words(RANKS));
const isGo = named(words(GO));

/** @type {readonly Rule[]} */
const RULES = [
  { settings: "another Temporal server's settings", of: "stack", matches: (name) => /^TEMPORAL_(?!CLI$)/.test(name) },
  {
    settings: "another Python's settings",
    of: "stack",
    matches: (name) =>
      isPythonSwitch(name) || /^PYTHON(?!_|UNBUFFERED$|DONTWRITEBYTECODE$|PYCACHEPREFIX$|FAULTHANDLER$|UTF8$|IOENCODING$).+/.test(name),
  },
  {
    settings: "another server's settings",
    of: "stack",
    matches: (name) => isServer(name) || /^(MLFLOW|GUNICORN|UVICORN|FLASK|WERKZEUG)_/.test(name),
  },
  {
    settings: "another job's ranks",
    of: "stack",
    matches: (name) => isRank(name) || /^(TORCHELASTIC|PET|ACCELERATE|FSDP)_/.test(name),
  },
  { settings: "another program's telemetry", of: "stack", matches: (name) => /^OTEL_/.test(name) },
  { settings: "another git repository", of: "stack", matches: named(words(GIT)) },
  {
    settings: "another Node program's modules or debugger",
    of: "stack",
    matches: (name, value) => /^NODE_(PATH|PRESERVE_SYMLINKS(_MAIN)?)$/.test(name) || (name === "NODE_OPTIONS" && PRELOADS.test(value)),
  },
  {
    settings: "npm's choice of packages",
    of: "set-up",
    matches: (name) => name === "NODE_ENV" || (/^npm_config_/i.test(name) && isNpm(name.slice(11).toLowerCase().replaceAll("-", "_"))),
  },
  { settings: "pip's choice of packages and places", of: "set-up", matches: (name) => /^PIP_/.test(name) && !REACHING_PIP.test(name) },
  { settings: "uv's choice of packages and places", of: "set-up", matches: (name) => /^UV_/.test(name) && !REACHING_UV.test(name) },
  { settings: "another Go build's settings", of: "set-up", matches: isGo },
  { settings: "tar's options", of: "set-up", matches: (name) => name === "TAR_OPTIONS" },
];

/**
 * The environment of a child: the shell's, without what was meant for other programs, with loopback never proxied, and with ours over it.
 *
 * @param {Readonly<Record<string, string | undefined>>} [ours]
 * @param {NodeJS.ProcessEnv} [environment] the shell's
 * @returns {NodeJS.ProcessEnv}
 */
export function childEnvironment(ours = {}, environment = process.env) {
  const given = Object.entries(environment).filter(([name, value]) => ruleOf(name, value ?? "") === undefined);
  return { ...withoutProxyForUs(Object.fromEntries(given)), ...ours };
}

/** @param {string} name @param {string} value */
const ruleOf = (name, value) => RULES.find(({ matches }) => matches(name, value));

/**
 * What of an environment a child of ours is not given, by name, in the alphabet's order. Values stay unsaid: some are keys.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {{ name: string, settings: string, of: "set-up" | "stack" }[]}
 */
export function ignoredVariables(environment) {
  const ignored = Object.entries(environment).flatMap(([name, value]) => {
    const rule = value ? ruleOf(name, value) : undefined;
    return rule === undefined ? [] : [{ name, settings: rule.settings, of: rule.of }];
  });
  return ignored.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const PROXY = /^(http|https|all|grpc|ws|wss)_proxy$/i;
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

/** Names of the variables that name a proxy. @param {NodeJS.ProcessEnv} environment */
export function proxyVariables(environment) {
  return Object.keys(environment).filter((name) => PROXY.test(name) && environment[name]);
}

/**
 * A proxy stands between this machine and others, never between its own programs. Some programs read no_proxy, others NO_PROXY.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function withoutProxyForUs(environment) {
  if (proxyVariables(environment).length === 0) return environment;
  const { no_proxy: lower, NO_PROXY: upper } = environment;
  return { ...environment, no_proxy: andLoopback(lower || upper), NO_PROXY: andLoopback(upper || lower) };
}

/** @param {string | undefined} list */
function andLoopback(list) {
  const hosts = (list ?? "").split(",").flatMap((host) => host.trim() || []);
  return (hosts.includes("*") ? hosts : [...hosts, ...LOOPBACK.filter((host) => !hosts.includes(host))]).join(",");
}
