// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/image/digest.js';
import { decodePayload } from '../../src/core/payload/payload.js';
import { parseJsonStrictly } from '../../src/core/strict-json.js';

const parse = (text: string): unknown => parseJsonStrictly(new TextEncoder().encode(text));
const GOOD = digestOf(new Uint8Array([1]));
const EVIL = digestOf(new Uint8Array([2]));
const image = (digest: string): string => `"image":{"docker-manifest-digest":"${digest}"}`;

describe('parseJsonStrictly', () => {
  it.each([
    '{}',
    '[]',
    '"a:b"',
    '{"a":{"a":1},"b":[{"a":2},{"a":3}]}',
    '{"a" : "\\"b\\":"}',
    '{"__proto__":{"x":1},"":{"":[]}}',
    '{"a":"\\\\"}',
    '[["a:"],"b"]',
    '["a",":b"]',
    '{"a":null,"b":[null]}',
    'null',
  ])('reads %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each(['', '{}x', '\ufeff{}', '[1]\u0000'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow();
  });

  it.each(['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"b":{"a":1,"a":2}}', '[{"__proto__":1,"__proto__":2}]', '{"a" :1,"a"\n :2}'])(
    'refuses %j, because a member is given twice',
    (text) => {
      expect(() => parse(text)).toThrow(new SyntaxError('a member is given twice'));
    },
  );

  it('refuses bytes that are no UTF-8', () => {
    expect(() => parseJsonStrictly(Buffer.from([0x22, 0xff, 0x22]))).toThrow(TypeError);
  });

  it('refuses what is nested without end, in linear time', () => {
    const startedAt = performance.now();
    expect(() => parse(`${'['.repeat(1e6)}${']'.repeat(1e6)}`)).toThrow();
    expect(() => parse(`"${'\\"'.repeat(1e6)}`)).toThrow();
    parse(`[${'"a:",'.repeat(2e5)}1]`);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('pollutes no prototype', () => {
    parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a payload that parsers may read differently is none', () => {
  it.each([
    ['two digests', `{"critical":{"image":{"docker-manifest-digest":"${EVIL}","docker-manifest-digest":"${GOOD}"}}}`],
    ['two images', `{"critical":{${image(EVIL)},${image(GOOD)}}}`],
    ['two of critical', `{"critical":{${image(EVIL)}},"critical":{${image(GOOD)}}}`],
    ['two of critical, one escaped', `{"critical":{${image(EVIL)}},"\\u0063ritical":{${image(GOOD)}}}`],
    ['a byte order mark', `\ufeff{"critical":{${image(GOOD)}}}`],
    ['trailing content', `{"critical":{${image(GOOD)}}} //`],
  ])('%s', (_name, text) => expect(decodePayload(new TextEncoder().encode(text))).toBeUndefined());

  it('an escaped name alone is read', () =>
    expect(decodePayload(new TextEncoder().encode(`{"\\u0063ritical":{${image(GOOD)}}}`))?.digest).toBe(GOOD));
});
