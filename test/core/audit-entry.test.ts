// SPDX-License-Identifier: Apache-2.0
// What is read out of an entry, whatever its author put where.
import { describe, expect, it } from 'vitest';
import { commitOf, firstText, imagesOf, listAt, logIdOf, textAt, textsAt } from '../../src/core/audit/entry.js';

const COMMIT = '0123456789abcdef';

describe('an entry', () => {
  it('has only what is of the type that is asked for', () => {
    const value = { a: { text: 'x', list: ['y'], number: 7, nothing: null } };
    expect([textAt(value, 'a', 'text'), textAt(value, 'a', 'number'), textAt(value, 'a', 'nothing', 'more')]).toEqual(['x', '', '']);
    expect([listAt(value, 'a', 'list'), listAt(value, 'a', 'text'), listAt(value, 'b')]).toEqual([['y'], [], []]);
    expect([textsAt(value, 'a'), textsAt(value, 'a', 'list'), textsAt(value, 'a', 'text')]).toEqual([[['text', 'x']], [], []]);
    expect([firstText('', 'a', 'b'), firstText('', ''), firstText()]).toEqual(['a', '', '']);
    expect(imagesOf({ containers: 'none', initContainers: [{}, { image: 'i' }] })).toEqual(['i']);
  });

  it.each([
    ['projects/p/logs/cloudaudit.googleapis.com%2Factivity', 'cloudaudit.googleapis.com/activity'],
    ['projects/p/logs/a%2fb%2Fc', 'a/b/c'],
    ['projects/p/logs/logs/x', 'logs/x'],
  ])('%s is in the log %s', (logName, id) => expect(logIdOf({ logName })).toBe(id));

  it.each<[string, object, string | undefined]>([
    ['a label', { labels: { commit: COMMIT } }, COMMIT],
    ['an annotation with a prefix', { annotations: { 'ci.example.com/git-commit': COMMIT } }, COMMIT],
    ['a label that comes before an annotation', { labels: { commit: COMMIT }, annotations: { commit: 'fedcba9' } }, COMMIT],
    ['a key in capitals', { labels: { 'Git-SHA': COMMIT } }, COMMIT],
    ['a key that only begins so', { labels: { 'commit-count': '1234567' } }, undefined],
    ['a key that only ends so', { labels: { recommit: COMMIT } }, undefined],
    ['a value with more before it', { labels: { commit: `v${COMMIT}` } }, undefined],
    ['a value with more behind it', { labels: { commit: `${COMMIT}-dirty` } }, undefined],
    ['a value that is too short', { labels: { commit: '012345' } }, undefined],
    ['a number', { labels: { commit: 1234567 } }, undefined],
    ['nothing', {}, undefined],
  ])('claims a commit by %s', (_, metadata, commit) => expect(commitOf(undefined, metadata)).toBe(commit));
});
