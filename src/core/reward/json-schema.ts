// What a JSON schema says about a value, as far as comparing arguments needs it. Alternatives (anyOf, oneOf, allOf), references into the
// same schema and lists of types are followed; whoever says nothing does not contradict those who do.
type Node = Readonly<Record<string, unknown>>;
export type SchemaSource = Node | undefined;

const ALTERNATIVES = ["anyOf", "oneOf", "allOf"] as const;

export class JsonSchema {
  /** The node with its alternatives, flat. */
  readonly #nodes: readonly Node[];
  readonly #root: Node;

  private constructor(nodes: readonly Node[], root: Node) {
    this.#nodes = nodes;
    this.#root = root;
  }

  /** Nothing is known of any value when there is no schema. */
  static of(schema: SchemaSource): JsonSchema {
    const root = schema ?? {};
    return new JsonSchema(flatten(root, root, new Set()), root);
  }

  /** False when no type is given: a string may then stand for a number, or not. */
  get isKnown(): boolean {
    return this.#types().size > 0;
  }

  /** A number or null, and nothing else: a string of digits can only mean the number. */
  get isNumber(): boolean {
    const types = [...this.#types()].filter((type) => type !== "null");
    return types.length > 0 && types.every((type) => type === "number" || type === "integer");
  }

  /** A list in which order says nothing. */
  get isSet(): boolean {
    return this.#nodes.some((node) => node["uniqueItems"] === true);
  }

  /** A choice among given values. */
  get isChoice(): boolean {
    return this.#nodes.some((node) => node["enum"] !== undefined || node["const"] !== undefined);
  }

  property(key: string): JsonSchema {
    return this.#within((node) => {
      const properties = asNode(node["properties"]);
      return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : node["additionalProperties"];
    });
  }

  item(): JsonSchema {
    return this.#within((node) => node["items"]);
  }

  #within(pick: (node: Node) => unknown): JsonSchema {
    const inner = this.#nodes.flatMap((node) => {
      const picked = asNode(pick(node));
      return picked === undefined ? [] : flatten(picked, this.#root, new Set());
    });
    return new JsonSchema(inner, this.#root);
  }

  #types(): ReadonlySet<string> {
    return new Set(this.#nodes.flatMap(typesOf));
  }
}

function flatten(node: Node, root: Node, seen: Set<Node>): Node[] {
  if (seen.has(node)) return [];
  seen.add(node);
  const alternatives = ALTERNATIVES.flatMap((word) => (Array.isArray(node[word]) ? (node[word] as unknown[]) : []));
  const referred = typeof node["$ref"] === "string" ? [resolve(node["$ref"], root)] : [];
  const inner = [...alternatives, ...referred].map(asNode).filter((one) => one !== undefined);
  return [node, ...inner.flatMap((one) => flatten(one, root, seen))];
}

/** The place that a reference such as `#/$defs/Passenger` names; undefined for one that leads elsewhere. */
function resolve(reference: string, root: Node): unknown {
  if (!reference.startsWith("#/")) return undefined;
  const keys = reference.slice(2).split("/");
  const plain = keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return plain.reduce<unknown>((place, key) => asNode(place)?.[key], root);
}

function typesOf(node: Node): string[] {
  const { type } = node;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((one) => typeof one === "string");
  const values = Array.isArray(node["enum"]) ? (node["enum"] as unknown[]) : "const" in node ? [node["const"]] : [];
  return values.map((value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value));
}

function asNode(value: unknown): Node | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Node) : undefined;
}
