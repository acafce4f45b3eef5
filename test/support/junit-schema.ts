// SPDX-License-Identifier: Apache-2.0
// JUnit's XML has no official schema. These are the rules of the one that Jenkins validates with (jenkinsci/xunit-plugin,
// junit-10.xsd), written down again as a table, and that the counts are true, which no schema says.
import type { XmlElement } from './xml.js';

interface Rule {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly children: readonly string[];
  readonly mayHoldText: boolean;
}

const element = (required: string, optional = '', children = '', mayHoldText = false): Rule => ({
  required: words(required),
  optional: words(optional),
  children: words(children),
  mayHoldText,
});

const RULES: Readonly<Record<string, Rule>> = {
  testsuites: element('', 'name time tests failures errors', 'testsuite'),
  testsuite: element(
    'name tests failures errors',
    'group time skipped timestamp hostname id package file log url',
    'testsuite properties testcase system-out system-err',
  ),
  properties: element('', '', 'property'),
  property: element('name value'),
  testcase: element('name', 'time classname group', 'skipped error failure system-out system-err'),
  failure: element('', 'type message', '', true),
  error: element('', 'type message', '', true),
  'system-out': element('', '', '', true),
};

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}

/** What is wrong with a document as JUnit's; empty for a valid one. */
export function junitProblems(root: XmlElement): readonly string[] {
  return [...(['testsuites', 'testsuite'].includes(root.name) ? [] : [`the root is <${root.name}>`]), ...problemsOf(root)];
}

function problemsOf(node: XmlElement): readonly string[] {
  const rule = RULES[node.name];
  if (!rule) return [`unknown <${node.name}>`];
  const names = Object.keys(node.attributes);
  return [
    ...rule.required.filter((name) => !names.includes(name)).map((name) => `<${node.name}> lacks ${name}`),
    ...names.filter((name) => ![...rule.required, ...rule.optional].includes(name)).map((name) => `<${node.name}> has the unknown ${name}`),
    ...node.children.filter(({ name }) => !rule.children.includes(name)).map(({ name }) => `<${node.name}> holds <${name}>`),
    ...(rule.mayHoldText || node.text.trim() === '' ? [] : [`<${node.name}> holds text`]),
    ...countProblems(node),
    ...node.children.flatMap(problemsOf),
  ];
}

function countProblems(node: XmlElement): readonly string[] {
  if (!node.name.startsWith('testsuite')) return [];
  const counted = { tests: casesOf(node).length, failures: casesOf(node, 'failure').length, errors: casesOf(node, 'error').length };
  return Object.entries(counted).flatMap(([name, count]) =>
    node.attributes[name] === undefined || node.attributes[name] === String(count)
      ? []
      : [`<${node.name}> says ${name}="${node.attributes[name]}", and has ${count}`],
  );
}

/** The cases below an element, all or those with such an outcome. */
export function casesOf(node: XmlElement, outcome?: string): readonly XmlElement[] {
  return node.children.flatMap((child) => {
    if (child.name !== 'testcase') return casesOf(child, outcome);
    return outcome === undefined || child.children.some(({ name }) => name === outcome) ? [child] : [];
  });
}
