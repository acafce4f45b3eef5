// SPDX-License-Identifier: Apache-2.0
// Enough of XML 1.0 to say whether a document is well-formed: declaration, elements, attributes, text, the five named
// and all numeric references. Comments, CDATA, processing instructions and DTDs are refused: our reports hold none.

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface Open {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*';
const TOKEN = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>|([^<]+)`, 'y');
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The root element; throws where the document is not well-formed. */
export function parseXml(document: string): XmlElement {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(document)) throw new Error('a character that XML cannot hold');
  const declaration = /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/.exec(document)?.[0];
  if (declaration === undefined) throw new Error('no declaration');
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [top];
  TOKEN.lastIndex = declaration.length;
  while (TOKEN.lastIndex < document.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(document);
    if (!found) throw new Error(`no XML at ${at}: ${document.slice(at, at + 60)}`);
    step(open, found);
  }
  const [root, ...others] = top.children;
  if (open.length !== 1 || root === undefined || others.length > 0 || top.text.trim() !== '')
    throw new Error('not exactly one root element');
  return root;
}

function step(open: Open[], [, close, name, attributes, selfClose, text]: RegExpExecArray): void {
  const current = open.at(-1);
  if (current === undefined) throw new Error('text behind the end');
  if (text !== undefined) {
    if (text.includes(']]>')) throw new Error('"]]>" in text');
    current.text += resolved(text);
  } else if (close === '/') {
    if (current.name !== name || open.length === 1) throw new Error(`</${name}> closes <${current.name}>`);
    open.pop();
  } else {
    const element: Open = { name: name ?? '', attributes: attributesOf(attributes ?? ''), children: [], text: '' };
    current.children.push(element);
    if (selfClose !== '/') open.push(element);
  }
}

function attributesOf(text: string): Record<string, string> {
  const found = [...text.matchAll(new RegExp(`(${NAME})="([^"]*)"`, 'g'))].map(
    ([, name, value]) => [name ?? '', resolved(value ?? '')] as const,
  );
  if (new Set(found.map(([name]) => name)).size < found.length) throw new Error(`an attribute twice: ${text}`);
  return Object.fromEntries(found);
}

function resolved(text: string): string {
  return text.replace(/&([^;\s]*)(;?)/g, (whole, name: string, end) => {
    const numeric = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(name);
    const value = numeric ? String.fromCodePoint(numeric[1] ? parseInt(numeric[1], 16) : Number(numeric[2])) : NAMED[name];
    if (end !== ';' || value === undefined) throw new Error(`a bad reference: ${whole}`);
    return value;
  });
}
