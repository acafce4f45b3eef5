// SPDX-License-Identifier: Apache-2.0
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/** Ends a run with every skipped test and its reason, and one line of counts that a machine can read. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    const failed =
      tests.filter((test) => test.result().state === 'failed').length + modules.filter((module) => module.errors().length > 0).length;
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const lines = [
      ...(skipped.length > 0 ? ['', 'Skipped:', ...skipped.map((test) => `  ${nameOf(test)}${reasonOf(test)}`)] : []),
      '',
      `${passed} passed, ${failed} failed, ${skipped.length} skipped`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

function nameOf(test: TestCase): string {
  const suites: string[] = [];
  for (let parent: TestSuite | TestModule = test.parent; parent.type === 'suite'; parent = parent.parent) suites.unshift(parent.name);
  return [test.module.relativeModuleId, ...suites, test.name].join(' > ');
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' && result.note ? `: ${result.note}` : '';
}
