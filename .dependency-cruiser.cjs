// Who may import whom: the table of the design, enforced.
const room = (...names) => `^(${names.join("|")})/`;
const never = (name, from, to) => ({ name, severity: "error", from: { path: from }, to });

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-undeclared-packages",
      severity: "error",
      from: { path: room("src", "activities", "workers", "workflows") },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
    never("contracts-import-zod-only", room("src/contracts"), { pathNot: ["^src/contracts/", "node_modules/zod/"] }),
    // Hashing and seeded randomness are pure, so their two libraries may enter.
    never("core-is-pure", room("src/core"), {
      pathNot: ["^src/(core|contracts)/", "node_modules/(zod|@noble/hashes|pure-rand|canonicalize)/"],
    }),
    // What knows environments, users and pages is pure too, and stands on the core.
    never("environments-are-pure", room("src/environments"), {
      pathNot: ["^src/(environments|simulators|core|contracts)/", "node_modules/(zod|@noble/hashes)/"],
    }),
    // The audit of users replays rollouts of the benchmarks, so it may know their vocabulary; users know no environment.
    never("users-know-no-environment", "^src/simulators/(?!audit/)", {
      pathNot: ["^src/(simulators|core|contracts)/", "node_modules/zod/"],
    }),
    never("audits-are-pure", "^src/simulators/audit/", { pathNot: ["^src/(simulators|environments|core|contracts)/"] }),
    never("synthesis-is-pure", room("src/synthesis"), {
      pathNot: ["^src/(synthesis|environments|simulators|core|contracts)/", "node_modules/(zod|@noble/hashes)/"],
    }),
    never("reports-are-pure", room("src/reports"), { pathNot: ["^src/(reports|core|contracts)/"] }),
    never("workflows-stay-durable", room("workflows"), {
      pathNot: ["^(workflows|activities|src/core|src/contracts)/", "@temporalio/(workflow|common)/"],
    }),
    never("activities-by-type-only", room("workflows"), { path: room("activities"), dependencyTypesNot: ["type-only"] }),
    never("adapters-know-no-front", room("src/adapters"), { path: room("src/application", "src/cli") }),
    never("adapters-know-no-temporal", "^src/adapters/(?!temporal/)", {
      path: ["@temporalio/", room("activities", "workflows", "workers")],
    }),
    never("adapters-are-injected", room("activities"), {
      path: room("workflows", "workers", "src/adapters"),
      dependencyTypesNot: ["type-only"],
    }),
    // A composition root may raise and recognise errors; what the core computes reaches it through activities.
    never("workers-compose", room("workers"), { path: room("src/core"), pathNot: "^src/core/errors", dependencyTypesNot: ["type-only"] }),
    never("fronts-stay-outside", room("src/application", "src/cli"), { path: room("activities", "workers") }),
    never("application-knows-no-front", room("src/application"), { path: room("src/cli") }),
    never("use-cases-print-nothing", room("src/application"), { path: "node_modules/(commander|picocolors)/" }),
    // A front stands on the use-cases: what it shows, it shows from their types.
    never("fronts-stand-on-use-cases", room("src/cli"), {
      path: room("src/adapters", "src/environments", "src/simulators", "src/synthesis", "workflows"),
    }),
    never("only-messages-cross", room("src/application"), {
      path: room("workflows"),
      pathNot: "^workflows/messages",
      dependencyTypesNot: ["type-only"],
    }),
    // openRecord(address) is the only maker of stores, journals, records and histories.
    never("stores-are-opened", "^(src|activities|workers|workflows|infra|bench)/(?!adapters/(artifact-store/|record/open-record\\.ts))", {
      path: "^src/adapters/(artifact-store/(local|journal|journal-chain|blob-folder|sweep-temporaries)|record/(campaign-record|changes)|history/history)\\.ts$",
      dependencyTypesNot: ["type-only"],
    }),
    never("nothing-imports-tests", room("src", "activities", "workers", "workflows"), { path: room("tests", "bench") }),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(\\.turnwise|trainer)/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
