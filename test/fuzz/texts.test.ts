// SPDX-License-Identifier: Apache-2.0
// Parsers of texts: whatever comes, they answer or refuse, in time, and what they accept means what it says.
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/core/duration.js';
import { parseClusterRef } from '../../src/core/deployment/target.js';
import { parseDigest } from '../../src/core/image/digest.js';
import { nameOf, parseImageReference } from '../../src/core/image/reference.js';
import { parseAttestorName, parseKeyVersionName, parseNoteName, parseProjectId } from '../../src/core/names.js';
import { oneLine } from '../../src/core/redact.js';
import { Secret } from '../../src/core/secret.js';
import { parseArgs } from '../../src/hosts/cli/args.js';
import { parseChallenges } from '../../src/registry/challenge.js';
import { readKeyContent } from '../../src/signers/key-text.js';
import { openPkixKey } from '../../src/signers/pkix.js';
import { algorithmNamed, keyPairFor, privatePem } from '../support/pkix-keys.js';
import { mutatedText } from './arbitraries.js';
import { answerOf, forEachInput } from './fuzz.js';

const D = `sha256:${'0'.repeat(60)}abcd`;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\s]/u;

describe('an image reference', () => {
  const samples = [
    `gcr.io/p/x@${D}`,
    `https://us-docker.pkg.dev/p/r/team/app:v1@${D}`,
    `localhost:5000/a/b@${D}`,
    'registry.example.com:5000/app:1.2.3',
    `[::1]:5000/a@${D}`,
  ];
  it('that is accepted says of itself what it says', () =>
    forEachInput(mutatedText(samples), (text) => {
      const parsed = parseImageReference(text);
      if (!parsed.ok) return expect(parsed.reason).not.toBe('');
      const { tag, digest } = parsed.reference;
      const again = `${nameOf(parsed.reference)}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
      expect(again).not.toMatch(CONTROL);
      // A digest is never invented, cut or folded; the name is never another image's.
      // (A host has no case; everything else does.)
      const [host = ''] = again.split('/', 1);
      expect(text.endsWith(again.slice(host.length)) && text.toLowerCase().endsWith(again.toLowerCase())).toBe(true);
      expect(parseImageReference(again)).toMatchObject({ ok: true, reference: { ...parsed.reference, original: again } });
    }));
});

describe.each([
  ['a digest', parseDigest, [D]],
  ['a project', parseProjectId, ['shop-prod', 'example.com:shop']],
  ['an attestor', parseAttestorName, ['projects/shop-prod/attestors/built-by-ci']],
  ['a note', parseNoteName, ['projects/shop-prod/notes/built-by-ci']],
  ['a key version', parseKeyVersionName, ['projects/p-prod/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/12']],
] as const)('%s', (_, parse, samples) => {
  it('is taken whole and unchanged, or not at all', () =>
    forEachInput(mutatedText(samples), (text) => {
      const parsed = parse(text);
      if (parsed === undefined) return;
      expect(parsed).toBe(text);
      expect(text).not.toMatch(CONTROL);
      // It becomes a part of a URL's path.
      expect(text).not.toMatch(/[?#\\]|\/\/|(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i);
    }));
});

describe('a cluster', () => {
  it('has a location and a name that make no other path', () =>
    forEachInput(mutatedText(['us-central1-a.prod', 'global.member']), (text) => {
      const parsed = parseClusterRef(text);
      if (parsed) expect(`${parsed.location}.${parsed.name}`).toBe(text);
      if (parsed) expect(text).not.toMatch(/[\s/?#%\\]/);
    }));
});

describe('a duration', () => {
  it('is a finite number of milliseconds that is not negative', () =>
    forEachInput(mutatedText(['500ms', '30s', '5m', '24h', '1.5h', '30d']), (text) => {
      const ms = parseDuration(text);
      if (ms === undefined) return;
      expect(Number.isFinite(ms) && ms >= 0).toBe(true);
      expect(formatDuration(ms)).not.toBe('');
    }));
});

describe('a registry’s challenge', () => {
  it('never ends in a crash', () =>
    forEachInput(
      mutatedText(['Bearer realm="https://r/token",service="r",scope="repository:a:pull"', 'Basic realm="x", Bearer realm=y']),
      (text) => {
        for (const { scheme, parameters } of parseChallenges(text))
          expect([typeof scheme, parameters instanceof Map]).toEqual(['string', true]);
      },
    ));
});

describe('words of a command line', () => {
  it('never end in a crash, and a secret given as a value is not repeated', () =>
    forEachInput(
      mutatedText(['attest gcr.io/p/x:1 --attestor a --kms-key k --wait-timeout=5m', 'check -f k8s --project p', 'help list']),
      (text) => {
        const { issues } = parseArgs([...text.split(' '), '--pgp-private-key-env', 'canary 1f0a']);
        expect(JSON.stringify(issues.map(({ message, hint }) => [message, hint]))).not.toContain('canary 1f0a');
      },
    ));
});

describe('a private key', () => {
  const pem = privatePem(keyPairFor(algorithmNamed('ECDSA_P256_SHA256')).privateKey);
  const samples = [pem, pem.replaceAll('\n', '\\n'), Buffer.from(pem).toString('base64'), `"${pem}"`];
  it('that cannot be read is refused, in words that hold none of it', () =>
    forEachInput(mutatedText(samples), async (text) => {
      readKeyContent(text);
      await answerOf(() => openPkixKey(new Secret(text, 'PKIX_KEY'))).catch((thrown: unknown) => expect.fail(String(thrown)));
    }));
});

describe('a text of others', () => {
  it('becomes one line, without control characters', () =>
    forEachInput(mutatedText(['pods "x" is forbidden: image policy webhook backend denied one or more images']), (text) => {
      expect(oneLine(text)).not.toMatch(/(?!\t)[\p{Cc}\u2028\u2029]/u);
    }));
});
