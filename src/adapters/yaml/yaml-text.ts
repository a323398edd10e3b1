// The one reader of YAML: of files, of `--set` values, of tables and recipes. It takes what every parser reads alike (YAML 1.2, one document,
// aliases of what stands before them) and refuses the rest with line and column: what another parser would read as something else
// (merge keys, YAML 1.1, tags), what grows without end, and what cannot be stored (half a surrogate pair, a NUL).
import { type Document, isAlias, isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, visit } from "yaml";
import { CampaignError } from "#core/errors.ts";

export interface YamlText {
  /** Plain JSON values; an alias is a copy of what it names. */
  readonly value: unknown;
  /** The line of the value at this path, or of the nearest one above it that the text holds. */
  lineOf(path: readonly string[]): number | null;
}

export interface YamlPlace {
  /** Of the file, or the option that held the text: what a failure begins with. */
  readonly name: string;
  readonly next: string;
}

/** Larger than any campaign file, table or recipe, and small enough to be read in a moment. */
const MAX_CHARACTERS = 1 << 20;
const MAX_VALUES = 100_000;
const MAX_ALIASES = 1000;
const CORE_TAGS = new Set(["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`));

/** Throws config.invalid: `campaign.yaml: line 3, column 5: …`. */
export function parseYaml(text: string, { name, next }: YamlPlace): YamlText {
  const lines = new LineCounter();
  const refuse = (what: string, offset: number | null): never => {
    const { line, col } = lines.linePos(offset ?? 0);
    const place = offset === null ? "" : text.includes("\n") ? `line ${line}, column ${col}: ` : `column ${col}: `;
    throw new CampaignError("config.invalid", `${name}: ${place}${what}`, { next });
  };
  if (text.length > MAX_CHARACTERS) refuse(`${text.length} characters; such files have at most ${MAX_CHARACTERS}`, null);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) refuse(`not valid YAML: ${inOurWords(problem.code, problem.message)}`, problem.pos[0]);
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== "1.2")
    refuse("YAML 1.1 reads words such as `no` otherwise; YAML 1.2 is read here, so leave the %YAML line out", 0);
  const found = firstOddity(document);
  if (found !== null) refuse(found.what, found.offset);
  return { value: document.toJS({ maxAliasCount: -1 }), lineOf: (path) => lineOf(document, lines, path) };
}

function inOurWords(code: string, message: string): string {
  if (code === "MULTIPLE_DOCS") return "there is more than one document; a file holds one";
  return code === "RESOURCE_EXHAUSTION" ? "it is nested too deeply" : message;
}

interface Oddity {
  readonly what: string;
  readonly offset: number | null;
}

/** The first thing that is valid YAML and not read here. */
function firstOddity(document: Document): Oddity | null {
  const sizes = new AliasSizes(document);
  let found: Oddity | null = null;
  const note = (what: string | null, node: Node | null) => {
    if (what === null) return undefined;
    found = { what, offset: node?.range?.[0] ?? null };
    return visit.BREAK;
  };
  visit(document, {
    Pair: (_, { key }) => note(oddKey(key), key as Node | null),
    Node: (_, node, path) => note(oddTag(node) ?? oddScalar(node) ?? sizes.oddAlias(node, path), node),
  });
  return found;
}

function oddKey(key: Pair["key"]): string | null {
  if (isAlias(key) || !isScalar(key)) return "a key is a plain word here, not a list, a mapping or an alias";
  if (key.value === "<<") return "merge keys (<<) belong to YAML 1.1; write the keys out";
  return key.value === "__proto__" ? "__proto__ is no key" : null;
}

function oddTag({ tag }: Node): string | null {
  return tag === undefined || CORE_TAGS.has(tag)
    ? null
    : `the tag ${tag.replace("tag:yaml.org,2002:", "!!")} is not read here; write the plain value`;
}

function oddScalar(node: Node): string | null {
  if (!isScalar(node) || typeof node.value !== "string") return null;
  if (!node.value.isWellFormed()) return "half of a character: one \\u escape of a surrogate pair without the other";
  return node.value.includes("\0") ? "a NUL character" : null;
}

/** How large the values are that aliases stand for, so that ten lines cannot mean a thousand million. */
class AliasSizes {
  readonly #document: Document;
  readonly #sizes = new Map<Node, number>();
  #total = 0;
  #numAliases = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  oddAlias(node: Node, path: readonly unknown[]): string | null {
    if (!isAlias(node)) return null;
    this.#numAliases += 1;
    if (this.#numAliases > MAX_ALIASES) return `more than ${MAX_ALIASES} aliases`;
    const target = node.resolve(this.#document);
    if (target === undefined) return `*${node.source} names no anchor before it; quote the text when no alias is meant: "*${node.source}"`;
    if (path.includes(target)) return `*${node.source} stands inside of what it names, which then has no end`;
    this.#total += this.#sizeOf(target);
    return this.#total > MAX_VALUES ? `aliases such as *${node.source} make more than ${MAX_VALUES} values of this text` : null;
  }

  /** Aliases before this place have been looked at, so what they name is finite. */
  #sizeOf(node: Node): number {
    const known = this.#sizes.get(node);
    if (known !== undefined) return known;
    let size = 0;
    visit(node, {
      Node: (_, inner) => {
        size += 1;
        const target = isAlias(inner) ? inner.resolve(this.#document) : undefined;
        if (target !== undefined) size += this.#sizeOf(target);
      },
    });
    this.#sizes.set(node, size);
    return size;
  }
}

function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = isMap(parent) ? parent.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === path[length - 1])?.key : null;
    const node = (isScalar(key) ? key : document.getIn(path.slice(0, length), true)) as Node | undefined;
    if (node?.range != null) return lines.linePos(node.range[0]).line;
  }
  return null;
}
