// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/core/policy/verdict.js';
import type { CheckResult } from '../../src/core/results.js';
import { junitOf } from '../../src/reports/junit.js';
import { allowed, checked, denied, digest, HOSTILE, manyDenied, planted, source } from '../support/check-results.js';
import { casesOf, junitProblems } from '../support/junit-schema.js';
import { parseXml, type XmlElement } from '../support/xml.js';

function parsed(result: CheckResult): XmlElement {
  const root = parseXml(junitOf(result));
  expect(junitProblems(root)).toEqual([]);
  return root;
}

describe('a document', () => {
  test('as it is', () => {
    const image = `gcr.io/p/app@${digest('a')}`;
    expect(junitOf(checked([denied()]))).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="binauthz check" tests="1" failures="1" errors="0">
  <testsuite name="k8s/app.yaml" tests="1" failures="1" errors="0">
    <properties>
      <property name="verdict" value="DENIED"/>
      <property name="policy" value="projects/p/policy"/>
      <property name="platform" value="gke"/>
      <property name="cluster" value="us-central1-a.prod"/>
    </properties>
    <testcase classname="k8s/app.yaml" name="Deployment/app container web: ${image}">
      <failure type="NO_TRUSTED_ATTESTATION" message="DENIED: no attestation of projects/p/attestors/a verifies">verdict: DENIED
rule: clusterAdmissionRules[us-central1-a.prod]
at: k8s/app.yaml:23
NO_TRUSTED_ATTESTATION: no attestation of projects/p/attestors/a verifies
  hint: binauthz attest gcr.io/p/app
denial: Image gcr.io/p/app denied by attestor projects/p/attestors/a</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
  });
  test('has a suite per file and a case per place', () => {
    const root = parsed(
      checked([
        denied({ sources: [source(), source({ file: 'b.yaml' }), source({ line: 9, container: 'init', containerType: 'init' })] }),
        allowed({ sources: [] }),
      ]),
    );
    expect(root.children.map(({ attributes }) => [attributes['name'], attributes['tests']])).toEqual([
      ['k8s/app.yaml', '2'],
      ['b.yaml', '1'],
      ['image', '1'],
    ]);
    expect(casesOf(root).map(({ attributes }) => attributes['name'])).toEqual([
      `Deployment/app container web: ${denied().image}`,
      `Deployment/app init container init: ${denied().image}`,
      `Deployment/app container web: ${denied().image}`,
      allowed().image,
    ]);
  });
  test.each<[Verdict, string]>([
    ['DENIED', 'failure'],
    ['UNKNOWN', 'error'],
    ['NOT_ENFORCED', 'system-out'],
    ['ALLOWED_BREAK_GLASS', 'system-out'],
    ['ALLOWED_DRY_RUN', 'system-out'],
    ['ALLOWED', 'system-out'],
  ])('%s is a %s', (verdict, outcome) => {
    const [only] = casesOf(parsed(checked([denied({ verdict })])));
    expect(only?.children.map(({ name }) => name)).toEqual([outcome]);
    expect(only?.children[0]?.text).toContain(`verdict: ${verdict}`);
  });
  test('without images is not green, and says why', () => {
    const errors = [{ code: 'PERMISSION_DENIED' as const, message: 'may not read', exitCode: 5 }];
    const [only, ...others] = casesOf(parsed(checked([], { errors })), 'error');
    expect([only?.children[0]?.text, others]).toEqual(['PERMISSION_DENIED: may not read', []]);
    expect(casesOf(parsed(checked([allowed()], { verdict: 'UNKNOWN' })), 'error')).toHaveLength(1);
    expect(casesOf(parsed(checked([allowed()])), 'error')).toHaveLength(0);
  });
  test('of 10,000 findings has them all', () => expect(casesOf(parsed(manyDenied(10_000)), 'failure')).toHaveLength(10_000));
  test('is the same every time', () => expect(junitOf(planted('x'))).toBe(junitOf(structuredClone(planted('x')))));
});

describe('planted text', () => {
  test.each(HOSTILE)('%j', (text) => {
    const root = parsed(planted(text));
    expect(casesOf(root)).toHaveLength(4);
    expect(root.children.flatMap(({ children }) => children.map(({ name }) => name)).filter((name) => name === 'properties')).toHaveLength(
      3,
    );
    for (const { children } of casesOf(root, 'failure')) expect(children[0]?.text.split('\n').length).toBeLessThanOrEqual(7);
  });
});

describe('the validators of these tests refuse', () => {
  const valid = junitOf(checked([denied()]));
  const edited = (from: string, to: string): string => {
    expect(valid).toContain(from);
    return valid.replace(from, to);
  };
  test.each([
    ['a false count', 'tests="1" failures="1"', 'tests="1" failures="0"'],
    ['a suite without name', '<testsuite name="k8s/app.yaml"', '<testsuite'],
    ['a case without name', 'classname="k8s/app.yaml" name=', 'classname='],
    ['an unknown element', '<properties>', '<note/><properties>'],
    ['text where none belongs', '<properties>', 'text<properties>'],
    ['an unknown attribute', '<testcase ', '<testcase line="1" '],
  ])('%s', (_, from, to) => {
    const root = parseXml(edited(from, to).replace(/ name=" name=/, ' name='));
    expect(junitProblems(root)).not.toEqual([]);
  });
  test.each([
    ['an open element', '</testsuites>', ''],
    ['a bare ampersand', 'Image gcr', 'Image & gcr'],
    ['a bare bracket', 'Image gcr', 'Image < gcr'],
    ['crossed elements', '</failure>\n    </testcase>', '</testcase>\n    </failure>'],
    ['a control character', 'Image gcr', 'Image \u0001 gcr'],
    ['an attribute twice', '<testcase ', '<testcase name="a" '],
    ['a second root', '</testsuites>', '</testsuites><x/>'],
  ])('%s', (_, from, to) => expect(() => parseXml(edited(from, to))).toThrow());
});
