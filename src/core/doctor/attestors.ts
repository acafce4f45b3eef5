// SPDX-License-Identifier: Apache-2.0
// Attestors and their notes: whether they exist, what they trust, and who may read them.
import type { Attestor } from '../attestation/attestor.js';
import { idOf, keyOf, parseKeyVersionName, projectOf, type AttestorName, type KeyName } from '../names.js';
import { addKmsKey, agentOfAttestor, createAttestor, createNote, grantRoles } from '../provisioning/commands.js';
import { shellLine } from '../provisioning/gcloud.js';
import { sharedKeys } from '../signing/shared-keys.js';
import { advised, refused, unread } from './access.js';
import { accessOf, NOTE_READERS, VERIFIERS } from './agents.js';
import { judgeListedKeys } from './attestor-keys.js';
import { makeKey, rotateTo, trust } from './commands.js';
import { known, type AttestorFacts, type DoctorFacts, type Question } from './facts.js';
import type { Finding } from './findings.js';
import { choiceOf } from './policy.js';

const VIEWER = 'roles/containeranalysis.notes.occurrences.viewer';
const VERIFIER = 'roles/binaryauthorization.attestorsVerifier';

/** What is wrong with the attestors themselves. */
export function judgeAttestors(facts: DoctorFacts): readonly Finding[] {
  return [...facts.attestors.flatMap((attestor) => judgeAttestor(attestor, facts)), ...judgeOthers(facts), ...judgeSharing(facts)];
}

/** What could not be known about an attestor: it changes no verdict, and is said in every report. */
export function assumptionsOfAttestors({ attestors }: DoctorFacts): readonly string[] {
  return attestors.flatMap((facts) => {
    const { attestor, noteAccess, deployer } = facts;
    const agent = attestor.ok ? attestor.value.serviceAgent : undefined;
    const isNoteOpen = attestor.ok && (agent === undefined || accessOf(`serviceAccount:${agent}`, NOTE_READERS, noteAccess) === 'unknown');
    const isDeployerOpen = deployer && (!deployer.member.ok || accessOf(deployer.member.value, VERIFIERS, deployer.access) === 'unknown');
    return [
      ...(facts.note.found.ok ? [] : [`the note ${facts.note.name} exists, and is one for attestations: it could not be read`]),
      ...(isNoteOpen
        ? [
            `the account ${agent === undefined ? '' : `${agent} `}of ${facts.name} may read the note ${facts.note.name}: the IAM policies that would tell could not be read to the end`,
          ]
        : []),
      ...(isDeployerOpen
        ? [
            `the deploying project’s Binary Authorization may ask ${facts.name}: the IAM policies that would tell could not be read to the end`,
          ]
        : []),
    ];
  });
}

function judgeAttestor(facts: AttestorFacts, all: DoctorFacts): readonly Finding[] {
  const { name, attestor } = facts;
  if (!attestor.ok) {
    if (attestor.error.code === 'ATTESTOR_NOT_FOUND') return [missingAttestor(facts, all)];
    return refused(attestor.error, `the attestor ${name}`, facts.tested, all.question);
  }
  return [
    ...judgeListedKeys(attestor.value, facts, all),
    ...judgeNote(facts, attestor.value, all.question),
    ...judgeAgent(facts, attestor.value),
    ...judgeDeployer(facts, all),
  ];
}

// Attest does not look at them, nor does check where another rule decides.
function judgeOthers(facts: DoctorFacts): readonly Finding[] {
  const { others, policy, question } = facts;
  const rules = (policy.ok && choiceOf(question, policy.value)?.rules) || [];
  const deciding = new Set(rules.flatMap(({ rule }) => rule.requireAttestationsBy));
  return others.flatMap((other) => {
    const { name, attestor } = other;
    // One that does not exist is a finding of the policy.
    if (!attestor.ok && attestor.error.code === 'ATTESTOR_NOT_FOUND') return [];
    const findings = attestor.ok
      ? judgeListedKeys(attestor.value, other, facts)
      : [unread(attestor.error, `the attestor ${name}`, question)];
    return question.eyes === 'check' && deciding.has(name) ? findings : findings.map(advised);
  });
}

function missingAttestor({ name, note }: AttestorFacts, { keys, question }: DoctorFacts): Finding {
  const isNoteMissing = note.found.ok && note.found.value === undefined;
  const fix = [
    ...(isNoteMissing ? [createNote(note.name, { humanReadableName: idOf(note.name) })] : []),
    createAttestor(name, note.name),
    ...known(keys.map(({ opened }) => opened))
      .slice(0, 1)
      .map((key) => trust(name, key)),
    grantRoles(note.name, [{ role: VIEWER, member: agentOfAttestor(name) }]),
  ];
  return {
    code: 'ATTESTOR_MISSING',
    resource: name,
    message: `there is no attestor ${name}, which ${question.eyes} needs: check its name, or make it`,
    fix: fix.join('\n'),
  };
}

function judgeNote({ name, note }: AttestorFacts, attestor: Attestor, question: Question): readonly Finding[] {
  const { found } = note;
  // Neither attest nor check reads the note itself: who may only attach and list is told nothing about it.
  if (!found.ok) return found.error.disabledApi === undefined ? [] : [unread(found.error, `the note ${note.name}`, question)];
  if (found.value === undefined) {
    const agent = attestor.serviceAgent;
    const fix = [
      createNote(note.name, { humanReadableName: idOf(note.name) }),
      ...(agent === undefined ? [] : [grantRoles(note.name, [{ role: VIEWER, member: `serviceAccount:${agent}` }])]),
    ];
    const message = `the note ${note.name} of ${name} does not exist: nothing can be attached to it, and nothing is found there`;
    return [{ code: 'NOTE_MISSING', resource: note.name, message, fix: fix.join('\n') }];
  }
  return found.value.isAttestation ? [] : [wrongKind(attestor)];
}

// Neither a note's kind nor an attestor's note can be changed, and a note may be in use elsewhere.
function wrongKind({ name, note, keys }: Attestor): Finding {
  const other = `${name}-attested` as AttestorName;
  const otherNote = `projects/${projectOf(note)}/notes/${idOf(other)}` as typeof note;
  const versions = keys.flatMap(({ id }) => parseKeyVersionName(id.replace(/^.*\/(?=projects\/)/, '')) ?? []);
  return {
    code: 'NOTE_NOT_ATTESTATION',
    resource: note,
    message: `the note ${note} of ${name} is not for attestations, and neither can be changed: make another attestor with a note of its own, and have the policy require that`,
    fix: [
      createNote(otherNote, { humanReadableName: idOf(other) }),
      createAttestor(other, otherNote),
      ...versions.slice(0, 1).map((version) => addKmsKey(other, version)),
      grantRoles(otherNote, [{ role: VIEWER, member: agentOfAttestor(other) }]),
    ].join('\n'),
  };
}

function judgeAgent({ name, note, noteAccess }: AttestorFacts, { serviceAgent }: Attestor): readonly Finding[] {
  const isNoteMissing = note.found.ok && note.found.value === undefined;
  if (serviceAgent === undefined || isNoteMissing) return [];
  const member = `serviceAccount:${serviceAgent}`;
  if (accessOf(member, NOTE_READERS, noteAccess) !== 'missing') return [];
  return [
    {
      code: 'AGENT_CANNOT_READ_NOTE',
      resource: note.name,
      message: `the account ${serviceAgent}, as which ${name} reads its note, holds no role on ${note.name} that lets it: attestations verify from here, and are not found at the deployment`,
      fix: grantRoles(note.name, [{ role: VIEWER, member }]),
    },
  ];
}

function judgeDeployer({ name, deployer }: AttestorFacts, { question }: DoctorFacts): readonly Finding[] {
  if (!deployer?.member.ok || accessOf(deployer.member.value, VERIFIERS, deployer.access) !== 'missing') return [];
  const member = deployer.member.value;
  return [
    {
      code: 'DEPLOYER_CANNOT_VERIFY',
      resource: name,
      message: `${member}, as which the Binary Authorization of ${question.project} asks attestors, may not verify with ${name}: deployments to ${question.project} are denied`,
      fix: grantRoles(name, [{ role: VERIFIER, member }]),
    },
  ];
}

function judgeSharing({ attestors, others }: DoctorFacts): readonly Finding[] {
  const all = known([...attestors, ...others].map(({ attestor }) => attestor));
  return sharedKeys(all).flatMap(({ key, attestors: names }) =>
    all
      .filter(({ name }) => name === names.at(-1))
      .map((last) => ({
        code: 'KEYS_SHARED' as const,
        resource: last.name,
        message: `${names.join(' and ')} trust the same key ${key}: whoever holds it satisfies all of them, so they are no independent checks`,
        fix: ownKey(last, all, key),
      })),
  );
}

// A key of its own, under which everything is attested again that verifies today; then the shared one is let go.
function ownKey(attestor: Attestor, all: readonly Attestor[], key: string): string {
  const shared = attestor.keys.find((listed) =>
    sharedKeys(all.map(({ name }) => ({ name, keys: [listed] }))).some((found) => found.key === key),
  );
  const version = parseKeyVersionName((shared?.id ?? '').replace(/^.*\/(?=projects\/)/, ''));
  const retired = shared?.id ?? 'KEY_ID';
  if (version === undefined) return shellLine(rotateTo(attestor.name, retired));
  const own = `${keyOf(version)}-${idOf(attestor.name)}` as KeyName;
  return [makeKey(own, []), shellLine(rotateTo(attestor.name, retired, ['--to-kms-key-version', `${own}/cryptoKeyVersions/1`]))].join('\n');
}
