import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { drawRooms, picture, rooms } from "../tools/draw-rooms.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
/** Returns `""` for a missing file: the test of links reports it. */
const textOf = (path: string): string => {
  const file = join(root, path);
  return existsSync(file) && statSync(file).isFile() ? readFileSync(file, "utf8") : "";
};
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));

const sources = tracked.filter((path) => /^packages\/[\w-]+\/src\/.*\.ts$/.test(path));
const architecture = "docs/architecture.md";
/** The pages that name files, functions and tests. */
const described = [architecture, ...tracked.filter((path) => /^docs\/decisions\/.*\.md$/.test(path))];

/** Code blocks show what a program may write, and not what is in this repository. */
const proseOf = (path: string): string => textOf(path).replace(/^```[\s\S]*?^```/gm, "");

interface Link {
  readonly text: string;
  /** From the root; `""` for the page itself. */
  readonly path: string;
  readonly anchor: string | undefined;
}

function linksOf(page: string): Link[] {
  const links = proseOf(page).matchAll(/\[((?:`[^`]*`|[^\]`])+)\]\(([^)\s]+)\)/g);
  return [...links]
    .filter(([, , target = ""]) => !/^[a-z]+:/.test(target))
    .map(([, text = "", target = ""]) => {
      const [path = "", anchor] = target.split("#");
      return { text, path: path && posix.join(posix.dirname(page), path), anchor };
    });
}

/** As GitHub makes them out of headings. */
const anchorsOf = (page: string): string[] =>
  [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );

const hasWord = (path: string, word: string): boolean =>
  new RegExp(`(?<![\\w$])${word}(?![\\w$])`).test(textOf(path));

/** A source may escape the quotes of a title. */
const plain = (text: string): string => text.replaceAll("\\", "");

// Templates are for other repositories, and a release tool writes the changelogs.
const pages = tracked.filter((path) => /(?<!CHANGELOG)\.md$/.test(path) && !path.includes("/template/"));

test("every link from one file of the repository to another leads somewhere", () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter(({ path, anchor }) => {
        const target = path || page;
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).includes(anchor);
      })
      .map(({ path, anchor }) => `${page}: ${[path, anchor].filter(Boolean).join("#")}`),
  );
  expect([...new Set(broken)]).toEqual([]);
});

/** What a check finds wrong, each with its page. */
const wrongIn = (check: (page: string) => readonly string[]): string[] =>
  described.flatMap((page) => [...new Set(check(page))].map((what) => `${page}: ${what}`));

describe("docs/architecture.md and the decisions", () => {
  test("name files that are there", () => {
    const wrong = wrongIn((page) =>
      [...proseOf(page).matchAll(/`((?:packages|tools|test|bench|docs|examples)\/[\w./-]+)`/g)]
        .map(([, path = ""]) => path)
        .filter((path) => !existsSync(join(root, path))),
    );
    expect(wrong).toEqual([]);
  });

  test("name functions and types that are in the file that the name links to", () => {
    const wrong = wrongIn((page) =>
      linksOf(page).flatMap(({ text, path }) => {
        const [, name] = /^`(\w+)(?:\(\))?`$/.exec(text) ?? [];
        const isWrong = name !== undefined && path.endsWith(".ts") && !hasWord(path, name);
        return isWrong ? `${name} in ${path}` : [];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("name calls that some package has", () => {
    const wrong = wrongIn((page) =>
      [...proseOf(page).matchAll(/`(?:\w+\.)*(\w+)\([^`]*\)`/g)]
        .map(([, name = ""]) => name)
        .filter((name) => !sources.some((path) => hasWord(path, name))),
    );
    expect(wrong).toEqual([]);
  });

  test("name tests by the titles that they have", () => {
    const wrong = wrongIn((page) =>
      linksOf(page).flatMap(({ text, path }) => {
        const [, title] = /^"(.+)"$/.exec(text) ?? [];
        return title !== undefined && !plain(textOf(path)).includes(title) ? `"${title}" in ${path}` : [];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("name rules that SPEC.md has", () => {
    const spec = textOf("SPEC.md");
    const wrong = wrongIn((page) =>
      [...proseOf(page).matchAll(/\bR\d+(?:\.\d+)?\b/g)]
        .map(([rule]) => rule)
        .filter((rule) => !spec.includes(rule.includes(".") ? `**${rule}**` : `### ${rule} `)),
    );
    expect(wrong).toEqual([]);
  });
});

test("the promises of README.md and the rows of the table of promises are the same, in the same order", () => {
  const promised = [...textOf("README.md").matchAll(/^\d\. \*\*(.+?)\.?\*\*/gm)].map(([, title]) => title);
  const rows = [...textOf(architecture).matchAll(/^\| \d\. ([^|]+?) \|/gm)].map(([, title]) => title);
  expect(promised.length).toBeGreaterThan(0);
  expect(rows).toEqual(promised);
});

test("every decision is in the list of decisions, and numbered in order", () => {
  const files = readdirSync(join(root, "docs/decisions")).filter((name) => /^\d{4}-/.test(name));
  const listed = linksOf("docs/decisions/README.md")
    .map(({ path }) => posix.basename(path))
    .filter((name) => /^\d/.test(name));
  expect(listed).toEqual(files.sort());
  expect(files.map((name) => Number(name.slice(0, 4)))).toEqual(files.map((_, i) => i + 1));
  for (const file of files)
    expect(textOf(`docs/decisions/${file}`)).toContain(`# ${Number(file.slice(0, 4))}. `);
});

describe("the rooms of core", () => {
  const src = "packages/core/src";
  const order = rooms().map(({ name }) => name);

  test("are those of the table in docs/architecture.md", () => {
    const folders = readdirSync(join(root, src), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect([...order].sort()).toEqual(folders.sort());
  });

  test("are drawn as the table has them; node tools/draw-rooms.mjs draws them again", () => {
    expect(readFileSync(picture, "utf8")).toBe(drawRooms());
  });
});
