// Small faults that `pnpm mutate` makes in a source file, one at a time.
import ts from "typescript";

/** @typedef {{ key: string, file: string, line: number, text: string }} Mutant One fault: `text` is the whole file with it. */
/** @typedef {[start: number, end: number, replacement: string]} Edit */

const { SyntaxKind: Kind } = ts;
/** @type {Record<string, string>} What takes the place of an operator. */
const OPERATORS = {
  ...{ "===": "!==", "!==": "===", "<": "<=", "<=": "<", ">": ">=", ">=": ">" },
  ...{ "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&": "|", "+=": "-=", "-=": "+=", "??=": "=" },
};
/** @type {[RegExp, (...found: string[]) => string | undefined][]} What takes the place of a piece of SQL. */
const SQL = [
  [/( IN | NOT IN )(?=\()/g, (whole) => (whole === " IN " ? " NOT IN " : " IN ")],
  [/ORDER BY [\w., ]+?(?= LIMIT|\n|$)/g, () => ""],
  [/(ORDER BY [\w., ]+?)(?= LIMIT|\n|$)/g, (whole) => `${whole} DESC`],
  [/LIMIT \?/g, () => "LIMIT ? + 1"],
  [/UNION ALL/g, () => "UNION"],
  [/ ?(NOT NULL|STRICT|IF NOT EXISTS|IF EXISTS|COLLATE NOCASE|PRIMARY KEY)/g, () => ""],
  [/LEFT JOIN/g, () => "JOIN"],
  [/ WHERE \w+ IS NOT NULL/g, () => ""],
  [/excluded\.(\w+)/g, (_, name) => name],
  [/ \+ $/g, () => " - "],
  [/\+expires_at/g, () => "expires_at"],
  [/(?<![\w$'])\d+\b/g, (number) => String(Number(number) + 1)],
  [/= (WAL|NORMAL)/g, (whole) => (whole === "= WAL" ? "= DELETE" : "= OFF")],
  [
    /^(BEGIN|COMMIT|ROLLBACK)$/g,
    (word) => (word === "COMMIT" ? "ROLLBACK" : word === "BEGIN" ? "BEGIN IMMEDIATE" : "COMMIT"),
  ],
];
const COMPARISON = /(\+?[\w.]+) (=|<>|>=|<=|>|<) (\?|'[^']*'|\d+)/g;
/** @type {Record<string, string>} */
const COMPARED = { "=": "<>", "<>": "=", ">": ">=", ">=": ">", "<": "<=", "<=": "<" };
const IS_SQL =
  /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|WHERE|PRAGMA|AND|BEGIN|COMMIT|ROLLBACK|DROP|NOT NULL)\b|= \?/;
/** The calls whose texts are only read by people. */
const SAYS = /^(check\w+|milliseconds|openByUrl|demand|\w*Error|tooLarge)$/;

/** @type {(text: string, at: number) => Edit[]} */
function editsOfSql(text, at) {
  /** @type {Edit[]} */
  const edits = [];
  for (const [pattern, change] of SQL)
    for (const found of text.matchAll(pattern)) {
      const now = change(...found);
      if (now !== undefined) edits.push([at + found.index, at + found.index + found[0].length, now]);
    }
  for (const found of text.matchAll(COMPARISON)) {
    const before = text.slice(0, found.index);
    // An assignment is no comparison.
    if (
      !/\b(WHERE|AND|ON|OR|SELECT)\b/.test(before) ||
      before.lastIndexOf("SET ") > before.lastIndexOf("WHERE")
    )
      continue;
    const [whole, left = "", operator = "", right] = found;
    const end = at + found.index + whole.length;
    edits.push([at + found.index, end, `${left} ${COMPARED[operator]} ${right}`]);
    edits.push([at + found.index, end, `(${whole} OR 1)`]);
  }
  return edits;
}

/** Whether a text is a message: several words, and no SQL. @type {(node: ts.Node, text: string) => boolean} */
function isMessage(node, text) {
  if (!IS_SQL.test(text) && /\w \w+ \w/.test(text)) return true;
  for (let up = node.parent; up !== undefined && !ts.isStatement(up); up = up.parent)
    if ((ts.isCallExpression(up) || ts.isNewExpression(up)) && SAYS.test(up.expression.getText()))
      return true;
  return false;
}

/** @type {(node: ts.Node) => boolean} */
const isUndefined = (node) => node.getText() === "undefined";
/** An entry of a table. @type {(node: ts.Node) => boolean} */
const isTuple = (node) => ts.isArrayLiteralExpression(node) && ts.isArrayLiteralExpression(node.parent);

/** Whether the node is what an `if`, a loop or `? :` decides by. @type {(node: ts.Node) => boolean} */
const decides = ({ parent }) =>
  ts.isIfStatement(parent) ||
  ts.isConditionalExpression(parent) ||
  ts.isWhileStatement(parent) ||
  ts.isForStatement(parent);

/** @type {(node: ts.Node) => Edit[]} */
function editsOf(node) {
  const [start, end] = [node.getStart(), node.getEnd()];
  /** @type {(...texts: string[]) => Edit[]} */
  const become = (...texts) => texts.map((text) => [start, end, text]);
  /** Removes a part of a list. @type {(list: ts.NodeArray<ts.Node>) => Edit[]} */
  const without = (list) =>
    list.flatMap((item, i) => {
      if (ts.isMethodDeclaration(item) || (ts.isPropertyAssignment(item) && isUndefined(item.initializer)))
        return [];
      return [[item.getStart(), list[i + 1]?.getStart() ?? list.end, ""]];
    });

  if (ts.isIfStatement(node)) return becomeAt(node.expression, "true", "false");
  if (ts.isConditionalExpression(node)) return becomeAt(node.condition, "true", "false");
  if (ts.isWhileStatement(node)) return becomeAt(node.expression, "false");
  if (ts.isForStatement(node) && node.condition) return becomeAt(node.condition, "false");
  if (ts.isExpressionStatement(node) || ts.isThrowStatement(node)) return become(";");
  if (ts.isReturnStatement(node)) {
    if (node.expression === undefined) return become(";");
    // What the compiler or every call would notice: a driver without methods.
    const { expression } = node;
    const isDriver =
      ts.isObjectLiteralExpression(expression) && expression.properties.some(ts.isMethodDeclaration);
    return isDriver || isUndefined(expression) ? [] : become("return;");
  }
  if (ts.isContinueStatement(node) || ts.isBreakStatement(node)) return become(";");
  if (ts.isAwaitExpression(node)) return become(`(${node.expression.getText()})`);
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return becomeAt(node.body, "undefined");
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.getText();
    const [left, right] = [node.left.getText(), node.right.getText()];
    if (["&&", "||", "??"].includes(operator)) return become(left, right);
    const other = OPERATORS[operator];
    if (other === undefined || (/^[!=]==$/.test(operator) && decides(node))) return [];
    return become(`${left} ${other} ${right}`);
  }
  if (ts.isPrefixUnaryExpression(node)) {
    const inner = node.operand.getText();
    if (node.operator === Kind.PlusPlusToken) return become(`--${inner}`);
    if (node.operator === Kind.MinusMinusToken) return become(`++${inner}`);
    return become(inner);
  }
  if (ts.isPostfixUnaryExpression(node))
    return become(node.operand.getText() + (node.operator === Kind.PlusPlusToken ? "--" : "++"));
  if (ts.isNumericLiteral(node) && isTuple(node.parent)) return [];
  if (ts.isNumericLiteral(node))
    return become(...(node.text === "1" ? ["0", "2"] : [String(Number(node.text) + 1)]));
  if (node.kind === Kind.TrueKeyword) return become("false");
  if (node.kind === Kind.FalseKeyword) return become("true");
  if (ts.isRegularExpressionLiteral(node)) return become("/(?:)/", "/$^/");
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    if (
      isMessage(node, node.text) ||
      node.text === "" ||
      (ts.isPropertyAssignment(node.parent) && node.parent.name === node)
    )
      return [];
    if (ts.isBinaryExpression(node.parent) && ts.isTypeOfExpression(node.parent.left)) return [];
    if (IS_SQL.test(node.text)) return editsOfSql(node.getText().slice(1, -1), start + 1);
    return ts.isArrayLiteralExpression(node.parent) ? [] : become('""');
  }
  if (ts.isTemplateExpression(node)) {
    if (isMessage(node, node.getText())) return [];
    if (!IS_SQL.test(node.getText())) return become('""');
    return [node.head, ...node.templateSpans.map((span) => span.literal)].flatMap((part) =>
      editsOfSql(part.getText().replace(/^.|(\$\{|`)$/gs, ""), part.getStart() + 1),
    );
  }
  if (ts.isObjectLiteralExpression(node)) return without(node.properties);
  if (ts.isArrayLiteralExpression(node)) {
    const [only] = node.elements;
    const copy =
      node.elements.length === 1 && only && ts.isSpreadElement(only) ? become(only.expression.getText()) : [];
    if (isTuple(node)) return [];
    return copy.length > 0 ? copy : without(node.elements);
  }
  if (ts.isNewExpression(node) && /^(Map|Set)$/.test(node.expression.getText()) && node.arguments?.[0])
    return become(node.arguments[0].getText());
  if (ts.isPropertyAccessExpression(node) && /^Math\.(min|max)$/.test(node.getText()))
    return become(node.getText() === "Math.min" ? "Math.max" : "Math.min");
  if (ts.isBindingElement(node) && node.initializer) return become(node.getText().replace(/ = .*$/s, ""));
  return [];
}

/** @type {(node: ts.Node, ...texts: string[]) => Edit[]} */
const becomeAt = (node, ...texts) => texts.map((text) => [node.getStart(), node.getEnd(), text]);

/** The names of the functions around a node. @type {(node: ts.Node) => string} */
function place(node) {
  for (let up = node; !ts.isSourceFile(up); up = up.parent) {
    if ((ts.isFunctionDeclaration(up) || ts.isMethodDeclaration(up)) && up.name) return up.name.getText();
    if ((ts.isVariableDeclaration(up) || ts.isPropertyAssignment(up)) && up.initializer)
      if (ts.isFunctionLike(up.initializer)) return up.name.getText();
  }
  return "-";
}

/** @type {(text: string) => string} */
const short = (text) => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 70 ? `${line.slice(0, 55)}…${line.slice(-14)}` : line;
};

/** Every mutant of a file, in the order of its text. @type {(file: string, source: string) => Mutant[]} */
export function mutantsOf(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  /** @type {Map<string, Mutant>} */
  const mutants = new Map();
  /** @type {(node: ts.Node) => void} */
  function visit(node) {
    if (
      ts.isTypeNode(node) ||
      ts.isImportDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isExportDeclaration(node)
    )
      return;
    for (const [start, end, replacement] of editsOf(node)) {
      const [was, now] = [short(source.slice(start, end)), short(replacement)];
      const base = `${file.split("/").at(-1)} ${place(node)}: ${was} → ${now === "" || now === ";" ? "(removed)" : now}`;
      let key = base;
      for (let i = 2; mutants.has(key); i++) key = `${base} (${i})`;
      const line = tree.getLineAndCharacterOfPosition(start).line + 1;
      mutants.set(key, { key, file, line, text: source.slice(0, start) + replacement + source.slice(end) });
    }
    ts.forEachChild(node, visit);
  }
  visit(tree);
  return [...mutants.values()];
}
