// Binary packages for other platforms, as npm's lock file wants them: `npm ci` refuses a lock that leaves one out, and npm leaves out
// whatever the registry at hand does not carry (some mirrors keep one platform only). Completed entries have the exact version that
// their parent asks for, and the platform that their name tells; they have no integrity hash, which only a registry could give.
interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export interface PackageLock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "x64"];

/** Optional packages that some locked package wants and the lock does not hold, with the version wanted and the package that wants it. */
export function missingOptionalPackages({ packages }: PackageLock): { name: string; version: string; isDev: boolean }[] {
  const held = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));
  const wanted = Object.values(packages).flatMap((parent) =>
    Object.entries(parent.optionalDependencies ?? {}).map(([name, version]) => ({ name, version, isDev: parent.dev === true })),
  );
  return wanted.filter(({ name }) => !held.has(name));
}

/** Throws for a version that is a range, or a name that tells no platform: such a package cannot be completed by its name. */
export function completePackageLock<Lock extends PackageLock>(lock: Lock): Lock {
  const added = missingOptionalPackages(lock).map(({ name, version, isDev }) => {
    if (!/^\d/.test(version)) throw new Error(`${name} is wanted as ${version}: no exact version`);
    return [`node_modules/${name}`, { version, ...platformOf(name), ...(isDev ? { dev: true } : {}), optional: true }] as const;
  });
  const entries = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...lock, packages: Object.fromEntries(entries) };
}

function platformOf(name: string): { cpu: string[]; os: string[]; libc?: string[] } {
  const words = name.replace(/^.*\//, "").split("-");
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not tell its platform`);
  const libc = words.includes("musl") ? "musl" : words.includes("gnu") ? "glibc" : null;
  return { cpu: [cpu], ...(libc === null ? {} : { libc: [libc] }), os: [os] };
}
