// SPDX-License-Identifier: Apache-2.0
// The images: whether the registry has them, and what hangs on the attestors' notes for them.
import type { BinauthzError } from '../errors.js';
import { nameOf, type ImageReference } from '../image/reference.js';
import { shellLine } from '../provisioning/gcloud.js';
import { advised, refused, unread, withHint } from './access.js';
import { attestAgain, grant, repositoryOf } from './commands.js';
import { known, type AttestationFacts, type DoctorFacts, type ImageFacts, type Question } from './facts.js';
import type { Finding } from './findings.js';

const READER = 'roles/artifactregistry.reader';

/** What is wrong with the images and their attestations. */
export function judgeImages(facts: DoctorFacts): readonly Finding[] {
  return facts.images.flatMap((image) => [
    ...judgeManifest(image, facts),
    ...unreadListings(image, facts),
    ...known(image.attestations).flatMap((found) => judgeAttestations(found, image, facts)),
  ]);
}

// On GKE the digest alone is judged, and check asks no registry.
function judgeManifest({ asked, resolved }: ImageFacts, { question }: DoctorFacts): readonly Finding[] {
  if (resolved.ok) return [];
  const isOptional = question.eyes === 'check' && question.platform === 'gke' && asked.digest !== undefined;
  const finding = unresolved(asked, resolved.error, question);
  return [isOptional ? advised(finding) : finding];
}

function unresolved(asked: ImageReference, error: BinauthzError, question: Question): Finding {
  const base = { resource: asked.original, message: error.message };
  switch (error.code) {
    case 'IMAGE_NOT_FOUND':
    case 'IMAGE_ID_NOT_DIGEST': {
      const message = withHint(error, '; push it, or name what was pushed');
      const pushed = `${nameOf(asked)}${asked.tag === undefined ? '' : `:${asked.tag}`}`;
      return { ...base, code: 'IMAGE_MISSING', message, fix: shellLine(['docker', 'push', pushed]) };
    }
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED': {
      if (error.disabledApi !== undefined) return unread(error, asked.original, question);
      const repository = repositoryOf(asked);
      const login = shellLine(['docker', 'login', asked.registry]);
      return { ...base, code: 'IMAGE_UNREADABLE', fix: repository === undefined ? login : grant(repository, READER, question.signer) };
    }
    case 'DIGEST_MISMATCH':
    case 'MANIFEST_INVALID': {
      const fix = shellLine(['docker', 'buildx', 'imagetools', 'inspect', asked.original]);
      return { ...base, code: 'IMAGE_BROKEN', fix, error: error.code };
    }
    default:
      return unread(error, asked.original, question);
  }
}

function unreadListings({ attestations }: ImageFacts, { attestors, question }: DoctorFacts): readonly Finding[] {
  const tested = attestors.flatMap((attestor) => attestor.tested);
  // A missing note is a finding of the attestor.
  const errors = attestations.flatMap((fact) => (fact.ok || fact.error.code === 'NOTE_NOT_FOUND' ? [] : [fact.error]));
  return errors.flatMap((error) => refused(error, 'the listing of attestations', tested, question));
}

function judgeAttestations(found: AttestationFacts, image: ImageFacts, facts: DoctorFacts): readonly Finding[] {
  const { attestor, digest, isVerified, rejected, elsewhere, siblings, index } = found;
  if (isVerified || attestor.keys.length === 0) return [];
  const name = `${nameOf(image.asked)}@${digest}`;
  const base = { resource: name };
  const again = attestAgain(name, attestor, facts.question, facts.keys);
  if (rejected.length > 0) {
    const codes = [...new Set(rejected.map(({ code }) => code))];
    return codes.flatMap((code): readonly Finding[] => {
      const own = rejected.filter((entry) => entry.code === code);
      const more = own.length > 1 ? ` (and ${own.length - 1} more like it)` : '';
      return own.slice(0, 1).map(({ attestation, message }) => ({
        ...base,
        code,
        message: `${attestation.occurrence}, which is to attest ${name} for ${attestor.name}, does not count: ${message}${more}; attest the image again`,
        fix: again,
      }));
    });
  }
  const [other] = elsewhere;
  if (other) {
    const message = `${other.occurrence} attests ${name} under the note ${other.note}, but ${attestor.name} looks only at ${attestor.note}`;
    return [{ ...base, code: 'ATTESTED_UNDER_OTHER_NOTE', message, fix: again }];
  }
  if (siblings.length > 0) {
    const whole = index === undefined ? name : `${nameOf(image.asked)}@${index}`;
    const all = `${attestAgain(whole, attestor, facts.question, facts.keys)} --multi-platform both`;
    return [{ ...base, ...relativeOf(found, facts.question), fix: all }];
  }
  const message = `the note ${attestor.note} of ${attestor.name} holds no attestation of ${name}, and no other note does as far as could be seen`;
  return [{ ...base, code: 'NOT_ATTESTED', message, fix: again }];
}

/** What is said where not the digest that is judged is attested, but another of the same index. */
function relativeOf({ attestor, digest, siblings, index }: AttestationFacts, { platform }: Question): Pick<Finding, 'code' | 'message'> {
  const [first] = siblings;
  const attested = `${first?.digest ?? ''} is attested for ${attestor.name}`;
  const judged =
    platform === 'cloud-run' ? `Cloud Run evaluates its linux/amd64 image ${digest}` : `what is deployed is its image ${digest}`;
  if (first?.what === 'index') return { code: 'INDEX_ATTESTED_ONLY', message: `the index ${attested}, but ${judged}, which is not` };
  if (index === digest)
    return { code: 'CHILD_ATTESTED_ONLY', message: `of the index ${digest} the image ${attested}, but the index is what is deployed` };
  return { code: 'SIBLING_ATTESTED_ONLY', message: `of the index ${index ?? ''} the image ${attested}, but ${judged}, which is not` };
}
