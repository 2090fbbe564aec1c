import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { addressIn } from "../tools/package-fields.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const address = addressIn(read("package.json")) ?? "";

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
});
const files = listed.split("\n").filter((path) => path !== "" && existsSync(join(root, path)));

const withoutCode = (text: string): string =>
  text.replace(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2$/gm, "").replace(/<!--[\s\S]*?-->/g, "");

/** Where the links of a text lead, in the order in which they stand there. */
function linksIn(text: string): string[] {
  const prose = withoutCode(text).replace(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(<?([^()\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)/gm)].map(
    ([, inline, reference]) => inline ?? reference ?? "",
  );
}

/** The anchors of a text's headings, as GitHub makes them. */
function anchorsIn(text: string): Set<string> {
  const anchors = new Set([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id]) => id ?? ""));
  const times = new Map<string, number>();
  for (const [, heading = ""] of withoutCode(text).matchAll(/^ {0,3}#{1,6} +(.*?)#* *$/gm)) {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = shown
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
      .replaceAll(" ", "-");
    const before = times.get(slug) ?? 0;
    times.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/** What is wrong with a link, or nothing. */
function fault(file: string, link: string): string | undefined {
  // A template's placeholder. The package that writes it tests where it leads.
  if (/^__\w+__$/.test(link)) return undefined;
  const [target = "", anchor] = link.split("#");
  let path = target === "" ? file : posix.join(posix.dirname(file), decodeURIComponent(target));
  if (/^[a-z]+:/i.test(link)) {
    // Of the addresses, those of this repository can be looked at.
    const own = target.startsWith(`${address}/`) ? target.slice(address.length) : "";
    const [, kind, inside] = /^\/(blob|tree)\/main\/(.*)$/.exec(own) ?? [];
    if (inside === undefined) return undefined;
    path = inside;
    if (existsSync(join(root, path)) && statSync(join(root, path)).isDirectory() !== (kind === "tree"))
      return `${link}: ${kind} is for ${kind === "tree" ? "folders" : "files"}`;
  }
  const full = join(root, path);
  if (!existsSync(full)) return `${link}: there is no ${path}`;
  if (anchor === undefined) return undefined;
  if (statSync(full).isDirectory()) {
    path = posix.join(path, "README.md");
    if (anchor === "readme" && existsSync(join(root, path))) return undefined;
  }
  if (!path.endsWith(".md")) return undefined;
  return anchorsIn(read(path)).has(anchor) ? undefined : `${link}: ${path} has no such heading`;
}

test.each(files)("the links of %s lead somewhere", (file) => {
  const faults = linksIn(read(file)).map((link) => fault(file, link));
  expect(faults.filter((one) => one !== undefined)).toEqual([]);
});

test("a link that leads nowhere is seen", () => {
  const text =
    "[a](no-such-file.md) [b](SPEC.md#no-such-heading) [c](#no) `[d](x)`\n\n[e]: ../f\n\n```md\n[g](h)\n```\n";
  const links = linksIn(text);
  expect(links).toEqual(["no-such-file.md", "SPEC.md#no-such-heading", "#no", "../f"]);
  for (const link of [...links, `${address}/blob/main/no-such-file.md`, `${address}/tree/main/SPEC.md`])
    expect(fault("README.md", link), link).toBeDefined();
  for (const link of ["SPEC.md#words", "packages/core", `${address}/issues`, "https://example.org/x"])
    expect(fault("README.md", link), link).toBeUndefined();
});
