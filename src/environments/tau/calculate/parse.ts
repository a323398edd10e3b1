// Parses a Python expression of the `calculate` tool. Follows the rules and their order in CPython 3.11's grammar, since the order decides
// which syntax error is reported: a first pass accepts or refuses, a second one looks for a better message than "invalid syntax".
import { PyError, type PyFloat, type PyInt } from "../python/values.ts";
import { syntaxError, type Token, tokenize } from "./tokens.ts";

export type Expression =
  | { readonly type: "number"; readonly value: PyInt | PyFloat }
  | { readonly type: "ellipsis" }
  | { readonly type: "empty-tuple" }
  | { readonly type: "unary"; readonly operator: "+" | "-"; readonly operand: Expression }
  | { readonly type: "binary"; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | {
      readonly type: "call";
      readonly callee: Expression;
      readonly argument: { readonly prefix: "" | "*" | "**"; readonly value: Expression } | null;
    };
export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "**";

/**
 * The expression tree.
 *
 * throws  PyError "SyntaxError" with CPython's text, e.g. "'(' was never closed (<string>, line 1)"
 */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  const tree = new Parser(tokens, false).whole();
  if (tree !== null) {
    if (depthOf(tree) > MAX_DEPTH) throw tooDeep();
    return tree;
  }
  new Parser(tokens, true).whole();
  throw syntaxError("invalid syntax", tokens.length === 1 ? 0 : 1);
}

type Call = Extract<Expression, { type: "call" }>;

/** Nested rules. 200 brackets, which is all that Python takes, need 1,400. */
const MAX_NESTING = 1600;
/** CPython refuses deeper trees. */
const MAX_DEPTH = 2985;
const tooDeep = () => new PyError("RecursionError", "maximum recursion depth exceeded during compilation");

function depthOf(tree: Expression): number {
  let deepest = 0;
  const open: { readonly node: Expression; readonly depth: number }[] = [{ node: tree, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, depth } = next;
    deepest = Math.max(deepest, depth);
    open.push(...childrenOf(node).map((child) => ({ node: child, depth: depth + 1 })));
  }
  return deepest;
}

function childrenOf(node: Expression): Expression[] {
  if (node.type === "unary") return [node.operand];
  if (node.type === "binary") return [node.left, node.right];
  return node.type === "call" ? [node.callee, ...(node.argument === null ? [] : [node.argument.value])] : [];
}

class Parser {
  private readonly tokens: readonly Token[];
  /** Second pass: rules that only exist to explain an error are tried too. */
  private explains: boolean;
  private at = 0;
  private nesting = 0;
  private readonly memo = new Map<string, { readonly tree: Expression | null; readonly at: number }>();

  constructor(tokens: readonly Token[], explains: boolean) {
    this.tokens = tokens;
    this.explains = explains;
  }

  whole(): Expression | null {
    const tree = this.expression();
    return tree !== null && this.accept("end") ? tree : null;
  }

  /** Looking at the end of a text with an open bracket is what CPython reports at once. */
  private accept(kind: Token["kind"]): boolean {
    const token = this.tokens[this.at];
    if (token?.kind === "unclosed") throw syntaxError("'(' was never closed");
    if (token?.kind !== kind) return false;
    this.at += 1;
    return true;
  }

  /** A rule at this place, tried once; on failure the place is restored. */
  private rule(name: string, parse: () => Expression | null): Expression | null {
    const start = this.at;
    const key = `${name}@${start}`;
    const known = this.memo.get(key);
    if (known !== undefined) {
      this.at = known.at;
      return known.tree;
    }
    const tree = this.deeper(parse);
    if (tree === null) this.at = start;
    this.memo.set(key, { tree, at: this.at });
    return tree;
  }

  private deeper(parse: () => Expression | null): Expression | null {
    this.nesting += 1;
    if (this.nesting > MAX_NESTING) throw tooDeep();
    const tree = parse();
    this.nesting -= 1;
    return tree;
  }

  private expression(): Expression | null {
    return this.rule("expression", () => {
      if (this.explains) this.explainMissingComma();
      return this.sum();
    });
  }

  /** Two expressions side by side inside brackets. */
  private explainMissingComma(): void {
    const start = this.at;
    if (this.sum() !== null) {
      this.explains = false;
      const second = this.sum();
      this.explains = true;
      if (second !== null && this.tokens[this.at - 1]?.level !== 0) throw syntaxError("invalid syntax. Perhaps you forgot a comma?");
    }
    this.at = start;
  }

  private sum(): Expression | null {
    return this.rule("sum", () => this.leftToRight(["+", "-"], () => this.term()));
  }

  private term(): Expression | null {
    return this.rule("term", () => this.leftToRight(["*", "/", "//"], () => this.factor()));
  }

  private leftToRight(operators: readonly BinaryOperator[], operand: () => Expression | null): Expression | null {
    let left = operand();
    while (left !== null) {
      const start = this.at;
      const operator = operators.find((kind) => this.accept(kind));
      const right = operator === undefined ? null : operand();
      if (operator === undefined || right === null) {
        this.at = start;
        return left;
      }
      left = { type: "binary", operator, left, right };
    }
    return null;
  }

  private factor(): Expression | null {
    return this.rule("factor", () => {
      const signs: ("+" | "-")[] = [];
      for (let sign = this.sign(); sign !== null; sign = this.sign()) signs.push(sign);
      const operand = this.power();
      return operand === null
        ? null
        : signs.reduceRight<Expression>((inner, operator) => ({ type: "unary", operator, operand: inner }), operand);
    });
  }

  private sign(): "+" | "-" | null {
    if (this.accept("+")) return "+";
    return this.accept("-") ? "-" : null;
  }

  private power(): Expression | null {
    const base = this.primary();
    if (base === null) return null;
    const start = this.at;
    if (this.accept("**")) {
      const exponent = this.factor();
      if (exponent !== null) return { type: "binary", operator: "**", left: base, right: exponent };
    }
    this.at = start;
    return base;
  }

  private primary(): Expression | null {
    return this.rule("primary", () => {
      let tree = this.atom();
      while (tree !== null) {
        this.lookPastDot();
        const call = this.call(tree);
        if (call === null) return tree;
        tree = call;
      }
      return null;
    });
  }

  /** The rule for attributes looks at what follows a dot; there are no names here. */
  private lookPastDot(): void {
    const start = this.at;
    if (this.accept(".")) this.accept("end");
    this.at = start;
  }

  /** `callee ( … )` */
  private call(callee: Expression): Call | null {
    const start = this.at;
    if (this.accept("(")) {
      // The generator rule reads one expression first.
      this.expression();
      this.at = start + 1;
      const argument = this.argument();
      if (this.accept(")")) return { type: "call", callee, argument };
    }
    this.at = start;
    return null;
  }

  /** One argument that ends at the closing bracket, or null with the place restored. */
  private argument(): Call["argument"] {
    const start = this.at;
    const prefix = this.accept("*") ? "*" : this.accept("**") ? "**" : "";
    const value = this.expression();
    if (value !== null && this.tokens[this.at]?.kind === ")") return { prefix, value };
    if (value !== null) this.accept(")");
    this.at = start;
    return null;
  }

  private atom(): Expression | null {
    const value = this.tokens[this.at]?.value ?? 0;
    if (this.accept("number")) return { type: "number", value };
    if (this.accept("...")) return { type: "ellipsis" };
    const start = this.at;
    if (!this.accept("(")) return null;
    const tree = this.bracketed();
    if (tree === null) this.at = start;
    return tree;
  }

  /** After "(": an empty tuple or a group. The tuple rule comes first and would also take "*". */
  private bracketed(): Expression | null {
    const start = this.at;
    if (this.accept("*")) this.sum();
    else this.expression();
    this.at = start;
    if (this.accept(")")) return { type: "empty-tuple" };
    const inner = this.expression();
    if (inner !== null && this.accept(")")) return inner;
    this.at = start;
    if (this.explains) this.explainStarredGroup();
    return null;
  }

  private explainStarredGroup(): void {
    const start = this.at;
    if (this.accept("*") && this.expression() !== null && this.accept(")")) throw syntaxError("cannot use starred expression here");
    this.at = start;
    if (this.accept("**") && this.expression() !== null && this.accept(")")) throw syntaxError("cannot use double starred expression here");
    this.at = start;
  }
}
