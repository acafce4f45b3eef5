// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  attestorNameIn,
  idOf,
  keyOf,
  parseAttestorName,
  parseKeyName,
  parseKeyVersionName,
  parseNoteName,
  parseOccurrenceName,
  parseProjectId,
  projectOf,
  type ProjectId,
} from '../../src/core/names.js';

const KEY = 'projects/p-1/locations/europe-west4/keyRings/r_1/cryptoKeys/k-1';

describe('names', () => {
  it.each<[string, (text: string) => string | undefined, readonly string[], readonly string[]]>([
    [
      'project',
      parseProjectId,
      ['p', 'my-project', 'example.com:my-project'],
      ['', '123456', 'My-Project', 'p/', 'p q', '-p', 'p-', 'p\n'],
    ],
    [
      'attestor',
      parseAttestorName,
      ['projects/p/attestors/a', 'projects/example.com:p/attestors/Built_by.ci-1'],
      [
        'a',
        'projects/p/attestors/',
        'projects/p/attestors/a/b',
        'projects/1/attestors/a',
        '/projects/p/attestors/a',
        'projects/p/attestors/a?x=1',
        'projects/p/attestors/a\n',
        'projects/p/notes/a',
        'projects/p/attestors/.',
        'projects/p/attestors/..',
        'projects/p/attestors/%2e%2E',
      ],
    ],
    ['note', parseNoteName, ['projects/p/notes/n', 'projects/123/notes/n'], ['projects/p/note/n', 'n']],
    ['occurrence', parseOccurrenceName, ['projects/p/occurrences/0a-1b'], ['projects/p/occurrences/']],
    ['key', parseKeyName, [KEY], [`${KEY}/cryptoKeyVersions/1`, KEY.replace('cryptoKeys', 'keys'), `//cloudkms.googleapis.com/v1/${KEY}`]],
    [
      'key version',
      parseKeyVersionName,
      [`${KEY}/cryptoKeyVersions/12`],
      [KEY, `${KEY}/cryptoKeyVersions/`, `${KEY}/cryptoKeyVersions/latest`],
    ],
  ])('of a %s', (_kind, parse, good, bad) => {
    for (const text of good) expect(parse(text)).toBe(text);
    for (const text of bad) expect(parse(text), JSON.stringify(text)).toBeUndefined();
  });

  it('are taken apart', () => {
    const attestor = attestorNameIn('p' as ProjectId, 'a');
    expect(attestor).toBe('projects/p/attestors/a');
    expect(attestorNameIn('p' as ProjectId, 'a/b')).toBeUndefined();
    expect(attestor && [projectOf(attestor), idOf(attestor)]).toEqual(['p', 'a']);
    const version = parseKeyVersionName(`${KEY}/cryptoKeyVersions/12`);
    expect(version && keyOf(version)).toBe(KEY);
  });
});
