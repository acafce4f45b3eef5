// SPDX-License-Identifier: Apache-2.0
// The committed dist must be what the sources build: `git status` also sees chunks that are new, which a diff does not.
import { execFileSync } from 'node:child_process';

const changes = execFileSync('git', ['status', '--porcelain', '--', 'dist'], { encoding: 'utf8' });
if (changes !== '') {
  process.stderr.write(`dist is not what the sources build; commit the rebuilt files:\n${changes}`);
  process.exit(1);
}
