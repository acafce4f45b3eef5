// SPDX-License-Identifier: Apache-2.0
// Prints what CHANGELOG.md says of a version, and fails where it says nothing: a release without notes is a mistake.
//
//   node scripts/release-notes.mjs VERSION
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [version] = process.argv.slice(2);
const text = readFileSync(join(import.meta.dirname, '..', 'CHANGELOG.md'), 'utf8');
const section = text.split(/^## /m).find((part) => part.split(/\s/, 1)[0] === version);
const notes = section?.slice(section.indexOf('\n')).trim() ?? '';
if (version === undefined || notes === '') {
  process.stderr.write(`release-notes: CHANGELOG.md: expected a section "## ${version ?? 'VERSION'}" that says something, got none\n`);
  process.exit(1);
}
process.stdout.write(`${notes}\n`);
