// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseImageReference, pin } from '../../src/core/image/reference.js';
import { parseDigest } from '../../src/core/image/digest.js';
import { decodePayload, encodePayload, hasGoogleType, PAYLOAD_TYPE, payloadFor } from '../../src/core/payload/payload.js';

const HEX = `${'0'.repeat(60)}abcd`;
const D = `sha256:${HEX}`;

// Facts 1.3: made by gcloud 528's own functions.
const GOLDEN = [
  [
    'V1',
    `gcr.io/example-project/example-image@${D}`,
    'gcr.io/example-project/example-image',
    298,
    '1444cbeb21cdb9edfbde6c8e8174807ad604afd50d141086feed3c64fa849f11',
  ],
  [
    'V1 https',
    `https://gcr.io/example-project/example-image@${D}`,
    'gcr.io/example-project/example-image',
    298,
    '1444cbeb21cdb9edfbde6c8e8174807ad604afd50d141086feed3c64fa849f11',
  ],
  [
    'V1 http',
    `http://gcr.io/example-project/example-image@${D}`,
    'gcr.io/example-project/example-image',
    298,
    '1444cbeb21cdb9edfbde6c8e8174807ad604afd50d141086feed3c64fa849f11',
  ],
  [
    'V1 oci',
    `oci://gcr.io/example-project/example-image@${D}`,
    'gcr.io/example-project/example-image',
    298,
    '1444cbeb21cdb9edfbde6c8e8174807ad604afd50d141086feed3c64fa849f11',
  ],
  [
    'V1 tag',
    `gcr.io/example-project/example-image:v1@${D}`,
    'gcr.io/example-project/example-image',
    298,
    '1444cbeb21cdb9edfbde6c8e8174807ad604afd50d141086feed3c64fa849f11',
  ],
  [
    'V2',
    `us-docker.pkg.dev/p/r/team/app@${D}`,
    'us-docker.pkg.dev/p/r/team/app',
    292,
    'b5a59f3a5d6bc2013ca417b673a0ff6cbf90813dd63dfe20c820687f7ce8e0f3',
  ],
  [
    'V3',
    `docker.io/library/nginx@${D}`,
    'docker.io/library/nginx',
    285,
    'd08667b610ac737727e0205c7127a966de138191e61577b39acf93fc5c4a8d6a',
  ],
  ['V4', `http://localhost:5000/a/b@${D}`, 'localhost:5000/a/b', 280, '0254e33485270e0a5faba7787bb359c02e785a099338c81707da657c657090f9'],
  ['V4 bare', `localhost:5000/a/b@${D}`, 'localhost:5000/a/b', 280, '0254e33485270e0a5faba7787bb359c02e785a099338c81707da657c657090f9'],
  ['V5', `127.0.0.1:5000/a/b@${D}`, '127.0.0.1:5000/a/b', 280, 'd7b4262a0801cb2b2eb84d3d0ecd6e4c07cd33fdda731272f8032c4f9523745f'],
  ['V6', `gcr.io/p/x:v1@${D}`, 'gcr.io/p/x', 272, '0326fb23cb0c579df40849e42b7da754726c2d587167ce497f08393204963521'],
  ['V7', `example.com/a__b/c.d-e@${D}`, 'example.com/a__b/c.d-e', 284, 'ee782b5a909ce506e6432e7b3e872fd5ef288e924bbdd67dd6cbcc22b1fde14e'],
  [
    'V8',
    `index.docker.io/library/nginx@${D}`,
    'index.docker.io/library/nginx',
    291,
    'b4b7dba2490e93119edc3f677162078ceb57a6414e614164c081c4cb87f7acfd',
  ],
] as const;

describe('payload bytes', () => {
  it.each(GOLDEN)('%s: %s', (_name, input, repository, length, sha256) => {
    const parsed = parseImageReference(input);
    if (!parsed.ok) throw new Error(parsed.reason);
    const payload = payloadFor(pin(parsed.reference, parseDigest(D)!));
    expect(payload).toEqual({ dockerReference: repository, digest: D, type: PAYLOAD_TYPE });
    const bytes = encodePayload(payload);
    expect(bytes.length).toBe(length);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect(decodePayload(bytes)).toEqual(payload);
  });

  it('are these, to the byte', () => {
    const text = `{\n  "critical": {\n    "identity": {\n      "docker-reference": "REPO"\n    },\n    "image": {\n      "docker-manifest-digest": "${D}"\n    },\n    "type": "Google cloud binauthz container signature"\n  }\n}\n`;
    const bytes = encodePayload({ dockerReference: 'REPO', digest: parseDigest(D)!, type: PAYLOAD_TYPE });
    expect(new TextDecoder().decode(bytes)).toBe(text);
    expect(bytes.length).toBe(262 + 4);
  });
});

describe('decodePayload', () => {
  const decode = (text: string): unknown => decodePayload(new TextEncoder().encode(text));
  const inner = `"image":{"docker-manifest-digest":"${D}"}`;

  it('takes any formatting and member order, and members it does not know', () => {
    expect(decode(`{"optional":{"a":1},"critical":{"type":"T",${inner},"identity":{"docker-reference":"gcr.io/p/x"}}}`)).toEqual({
      dockerReference: 'gcr.io/p/x',
      digest: D,
      type: 'T',
    });
  });

  it('needs only the digest', () => {
    expect(decode(`{"critical":{${inner}}}`)).toEqual({ dockerReference: '', digest: D, type: '' });
    expect(decode(`{"critical":{${inner},"type":7,"identity":{"docker-reference":[]}}}`)).toEqual({
      dockerReference: '',
      digest: D,
      type: '',
    });
  });

  it.each([
    ['empty', ''],
    ['no JSON', 'DSSEv1 48 application/vnd.dev.cosign.simplesigning.v1+json 298 {'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a string', '"x"'],
    ['no critical', '{"image":{}}'],
    ['critical is null', '{"critical":null}'],
    ['critical is inherited', `{"__proto__":{"critical":{${inner}}}}`],
    ['no digest', '{"critical":{"image":{}}}'],
    ['a number as digest', '{"critical":{"image":{"docker-manifest-digest":1}}}'],
    ['a list of one digest', `{"critical":{"image":{"docker-manifest-digest":["${D}"]}}}`],
    ['sha512', `{"critical":{"image":{"docker-manifest-digest":"sha512:${HEX}${HEX}"}}}`],
    ['upper case', `{"critical":{"image":{"docker-manifest-digest":"sha256:${HEX.toUpperCase()}"}}}`],
    ['a short digest', `{"critical":{"image":{"docker-manifest-digest":"${D.slice(0, -1)}"}}}`],
    ['a line feed after the digest', `{"critical":{"image":{"docker-manifest-digest":"${D}\\n"}}}`],
    ['two values', `{"critical":{${inner}}}{}`],
  ])('refuses %s', (_name, text) => {
    expect(decode(text)).toBeUndefined();
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(
      decodePayload(Buffer.concat([Buffer.from(`{"critical":{${inner},"type":"`), Buffer.from([0xff]), Buffer.from('"}}')])),
    ).toBeUndefined();
  });

  it('reads no property that objects have by nature', () => {
    expect(decode('{"critical":{"image":"docker-manifest-digest"}}')).toBeUndefined();
  });
});

describe('hasGoogleType', () => {
  it.each([
    ['Google cloud binauthz container signature', true],
    ['Google Cloud BinAuthz container signature', true],
    ['atomic container signature', false],
    ['google cloud binauthz container signature', false],
    ['', false],
  ])('"%s" is %s', (type, expected) => {
    expect(hasGoogleType({ dockerReference: '', digest: parseDigest(D)!, type })).toBe(expected);
  });
});
