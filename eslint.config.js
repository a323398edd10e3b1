// ESLint runs only what needs types, and what keeps the core pure. Everything else is Biome's and tsc's.
import tseslint from "typescript-eslint";

const CUT = "text is cut between characters: startOf, endOf or shorten of src/core/text.ts";
/** A cut of text that a person or a model wrote: before an ellipsis, or at a limit that only text has. */
const CUTS = [
  "TemplateLiteral:has(TemplateElement[value.raw=/^ ?…/]) > CallExpression[callee.property.name=/^(slice|substring|substr)$/]",
  "CallExpression[callee.property.name=/^(slice|substring|substr)$/][arguments.0.value=0][arguments.1.value>=100]",
  "CallExpression[callee.property.name=/^(slice|substring|substr)$/][arguments.0.value=0][arguments.1.name=/^(MAX|LONGEST)_.*(TEXT|QUOTE|MESSAGE|REASON|LENGTH|COMMAND|CHARACTERS)$|^MAX_TEXT$/]",
].map((selector) => ({ selector, message: CUT }));

/** One set of formatters; beside it only Python's own rounding. */
const FORMATTERS = ["src/core/format.ts", "src/environments/tau/python/round.ts"];
const FORMS = [
  ...CUTS,
  {
    selector: "CallExpression[callee.property.name=/^(toFixed|toPrecision|toLocaleString)$/]",
    message: "numbers are written by src/core/format.ts",
  },
];

const PURE = "the core is pure: clock, randomness and environment come in as arguments";

export default tseslint.config(
  { ignores: ["node_modules", ".turnwise", "trainer", "coverage", "bench/results", "**/*.cjs", "eslint.config.js"] },
  {
    files: ["**/*.ts", "**/*.mjs"],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "@typescript-eslint": tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-restricted-syntax": ["error", ...FORMS],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-array-delete": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-misused-spread": "error",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/prefer-promise-reject-errors": "error",
      "@typescript-eslint/restrict-plus-operands": "error",
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  // A test may make a port fail in any way, and take a string apart by code points.
  {
    files: ["tests/**"],
    rules: {
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      "@typescript-eslint/no-misused-spread": "off",
      "no-restricted-syntax": "off",
    },
  },
  {
    files: ["src/{contracts,core,environments,simulators,synthesis,reports}/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["process", "setTimeout", "setInterval", "setImmediate", "fetch", "performance", "crypto", "console", "Buffer"].map((name) => ({
          name,
          message: PURE,
        })),
      ],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: PURE },
        { object: "Math", property: "random", message: PURE },
      ],
      "no-restricted-syntax": [
        "error",
        ...FORMS,
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: PURE },
        { selector: "ImportDeclaration[source.value=/^node:/]", message: PURE },
      ],
    },
  },
  // Set-up runs before anything of ours is there.
  { files: [...FORMATTERS, "infra/**"], rules: { "no-restricted-syntax": ["error", ...CUTS] } },
);
