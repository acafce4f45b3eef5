// SPDX-License-Identifier: Apache-2.0
// Markdown as tests need it: fenced blocks with the comments that direct them, headings as GitHub's anchors, and links.
//
// A comment directly above a block directs it: <!-- file: k8s/app.yaml --> (the block is written to that file),
// <!-- exits: 3 --> (the shell block ends with that code). A comment of its own directs the document: <!-- stage: shop -->,
// <!-- needs: gcloud gpg -->.

/** A fenced block. */
export interface Block {
  /** The fence's word, such as `sh` or `yaml`. */
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  readonly directions: ReadonlyMap<string, string>;
}

/** A link of the form `[text](target)`. */
export interface Link {
  readonly target: string;
  readonly line: number;
}

export interface MarkdownDocument {
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** What a link to a part of the page may name, without `#`. */
  readonly anchors: ReadonlySet<string>;
  /** Of the whole document. */
  readonly directions: ReadonlyMap<string, string>;
}

const DIRECTION = /^\s*<!--\s*([a-z]+):\s*(.*?)\s*-->\s*$/;

/** Reads a page. A fence that is never closed throws. */
export function readMarkdown(text: string): MarkdownDocument {
  const blocks: Block[] = [];
  const links: Link[] = [];
  const headings: string[] = [];
  const document = new Map<string, string>();
  const lines = text.split('\n');
  let pending = new Map<string, string>();
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const [, indent = '', ticks, language = ''] = /^(\s*)(`{3,})\s*([\w-]*)/.exec(line) ?? [];
    if (ticks !== undefined) {
      const end = lines.findIndex((later, at) => at > index && later.trim() === ticks);
      if (end < 0) throw new Error(`the block of line ${index + 1} has no end`);
      const content = lines.slice(index + 1, end).map((inner) => inner.replace(new RegExp(`^\\s{0,${indent.length}}`), ''));
      blocks.push({ language, text: `${content.join('\n')}\n`, line: index + 1, directions: pending });
      pending = new Map();
      index = end;
      continue;
    }
    const [, name, value = ''] = DIRECTION.exec(line) ?? [];
    if (name !== undefined) {
      pending.set(name, value);
      continue;
    }
    // A direction that no block follows is the document's.
    for (const [of, what] of pending) document.set(of, what);
    pending = new Map();
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading !== undefined) headings.push(heading);
    links.push(...linksIn(line).map((target) => ({ target, line: index + 1 })));
  }
  return { blocks, links, anchors: anchorsOf(headings), directions: document };
}

function linksIn(line: string): readonly string[] {
  const prose = line.replace(/`[^`]*`/g, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(([, target = '']) => target);
  const reference = /^\s*\[[^\]]+\]:\s*(\S+)/.exec(prose)?.[1];
  return reference === undefined ? inline : [...inline, reference];
}

// GitHub's rule: lower case, no punctuation but - and _, blanks as -, and a number after the second of the same.
function anchorsOf(headings: readonly string[]): ReadonlySet<string> {
  const seen = new Map<string, number>();
  return new Set(
    headings.map((heading) => {
      const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
      const slug = plain
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-');
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}
