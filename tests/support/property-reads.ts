// Which properties of a type a program reads, by the compiler's own understanding of it: a property is where it was declared, whatever it is
// picked into, spread into or passed as. A property read of the same name on another type is another property.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { REPOSITORY } from "#adapters/settings.ts";

/** A property as it is written: its file and where it stands in it. */
type Declared = string;

export interface Leaf {
  /** `budget.maxUsd`; a union's members are walked into one after the other. */
  readonly path: string;
  /** Files that read it, by their path below the repository. */
  readonly readers: readonly string[];
}

export class PropertyReads {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #reads = new Map<Declared, Set<string>>();
  readonly #flows = new Map<Declared, Set<Declared>>();

  /** Of the program's own sources, contracts left out. `extra` are files that exist in this program alone, by their path below the repository. */
  constructor(extra: Readonly<Record<string, string>> = {}) {
    this.#program = createProgram(extra);
    this.#checker = this.#program.getTypeChecker();
    for (const file of this.#program.getSourceFiles()) if (SOURCES.test(pathOf(file)) && !CONTRACTS.test(pathOf(file))) this.#visit(file);
  }

  /** Every property below an exported type that is no object itself, and who reads it. */
  leaves(path: string, name: string): Leaf[] {
    const file = this.#program.getSourceFile(join(REPOSITORY, path));
    const module = file === undefined ? undefined : this.#checker.getSymbolAtLocation(file);
    const symbol = module === undefined ? undefined : this.#checker.getExportsOfModule(module).find((one) => one.name === name);
    if (symbol === undefined) throw new Error(`${path} exports no ${name}`);
    return this.#below(this.#checker.getDeclaredTypeOfSymbol(symbol), "");
  }

  #below(type: ts.Type, path: string): Leaf[] {
    return membersOf(type).flatMap((member) =>
      this.#checker.getPropertiesOfType(member).flatMap((property) => {
        const at = path === "" ? property.name : `${path}.${property.name}`;
        const inner = membersOf(this.#checker.getTypeOfSymbol(property)).filter((one) => this.#isConfigObject(one));
        return inner.length === 0 ? [{ path: at, readers: this.#readersOf(property) }] : inner.flatMap((one) => this.#below(one, at));
      }),
    );
  }

  /** Of named keys: no list, no tuple, no record, no value. */
  #isConfigObject(type: ts.Type): boolean {
    if ((type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) === 0 || this.#checker.isArrayLikeType(type)) return false;
    return this.#checker.getIndexInfosOfType(type).length === 0;
  }

  #readersOf(property: ts.Symbol): string[] {
    const reached = new Set(declaredBy(property));
    for (const declared of reached) for (const next of this.#flows.get(declared) ?? []) reached.add(next); // a set's loop sees what is added
    return [...new Set([...reached].flatMap((declared) => [...(this.#reads.get(declared) ?? [])]))].sort();
  }

  #visit(node: ts.Node): void {
    if (ts.isPropertyAccessExpression(node)) {
      this.#read(this.#checker.getSymbolAtLocation(node.name), node);
      if (!ts.isPropertyAccessExpression(node.parent)) this.#passed(node);
    }
    if (ts.isElementAccessExpression(node)) this.#readElements(node);
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent) && node.dotDotDotToken === undefined)
      this.#read(this.#propertyNamed(this.#checker.getTypeAtLocation(node.parent), (node.propertyName ?? node.name).getText()), node);
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      for (const argument of node.arguments ?? []) this.#passed(argument);
      this.#instantiated(node);
    }
    ts.forEachChild(node, (child) => this.#visit(child));
  }

  #read(property: ts.Symbol | undefined, at: ts.Node): void {
    for (const declared of property === undefined ? [] : declaredBy(property))
      this.#reads.set(declared, new Set([...(this.#reads.get(declared) ?? []), pathOf(at.getSourceFile())]));
  }

  /** `config[purpose]`, where the compiler knows what `purpose` can be. */
  #readElements(node: ts.ElementAccessExpression): void {
    const { expression, argumentExpression } = node;
    const type = this.#checker.getTypeAtLocation(expression);
    for (const name of membersOf(this.#checker.getTypeAtLocation(argumentExpression)))
      if (name.isStringLiteral()) this.#read(this.#propertyNamed(type, name.value), node);
  }

  /** What is passed as another type is read by whoever reads that one. */
  #passed(argument: ts.Expression): void {
    const expected = this.#checker.getContextualType(argument);
    if (expected !== undefined) this.#flow(this.#checker.getTypeAtLocation(argument), expected, 0);
  }

  /** What a type parameter stands for in this call is read by whoever reads the parameter's bound. */
  #instantiated(node: ts.CallExpression | ts.NewExpression): void {
    const signature = this.#checker.getResolvedSignature(node);
    const declaration = signature?.getDeclaration();
    if (signature === undefined || declaration === undefined || !SOURCES.test(pathOf(declaration.getSourceFile()))) return;
    const given = this.#checker.getTypeArgumentsForResolvedSignature(signature) ?? [];
    const parameters = this.#checker.getSignatureFromDeclaration(declaration as ts.SignatureDeclaration)?.getTypeParameters() ?? [];
    for (const [place, type] of given.entries()) {
      const bound = parameters[place]?.getConstraint();
      if (bound !== undefined) this.#flow(type, bound, 0);
    }
  }

  #flow(given: ts.Type, expected: ts.Type, depth: number): void {
    if (depth > 3 || given === expected) return;
    for (const property of membersOf(expected).flatMap((member) => this.#checker.getPropertiesOfType(member))) {
      const source = this.#propertyNamed(given, property.name);
      if (source === undefined) continue;
      for (const from of declaredBy(source)) this.#flows.set(from, new Set([...(this.#flows.get(from) ?? []), ...declaredBy(property)]));
      const [inner, outer] = [this.#checker.getTypeOfSymbol(source), this.#checker.getTypeOfSymbol(property)];
      if (membersOf(outer).some((one) => this.#isConfigObject(one))) this.#flow(inner, outer, depth + 1);
    }
  }

  #propertyNamed(type: ts.Type, name: string): ts.Symbol | undefined {
    return this.#checker.getPropertyOfType(this.#checker.getNonNullableType(type), name);
  }
}

const SOURCES = /^(src|activities|workflows|workers)\//;
const CONTRACTS = /^src\/contracts\//;

const pathOf = ({ fileName }: ts.SourceFile): string =>
  fileName.startsWith(`${REPOSITORY}/`) ? fileName.slice(REPOSITORY.length + 1) : "";

const membersOf = (type: ts.Type): readonly ts.Type[] => (type.isUnion() ? type.types : [type]);

function declaredBy(symbol: ts.Symbol): Declared[] {
  return (symbol.declarations ?? []).map((node) => `${node.getSourceFile().fileName}:${node.getStart()}`);
}

function createProgram(extra: Readonly<Record<string, string>>): ts.Program {
  const path = join(REPOSITORY, "tsconfig.json");
  const { options, fileNames } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, (name) => readFileSync(name, "utf8")).config,
    ts.sys,
    dirname(path),
  );
  const files = new Map(Object.entries(extra).map(([name, text]) => [join(REPOSITORY, name), text]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  const sources = fileNames.filter((name) => SOURCES.test(name.slice(REPOSITORY.length + 1)));
  return ts.createProgram([...sources, ...files.keys()], options, host);
}
