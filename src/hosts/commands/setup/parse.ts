// SPDX-License-Identifier: Apache-2.0
// `setup`: options first, then the files that they name; all that is wrong with either is thrown at once.
import {
  parseKeyName,
  parseNoteName,
  projectOf,
  type AttestorName,
  type KeyName,
  type NoteName,
  type ProjectId,
} from '../../../core/names.js';
import type { DesiredKey, DesiredPolicy, Principal } from '../../../core/provisioning/desired.js';
import type { SetupRequest } from '../../../usecases/setup.js';
import type { Env } from '../../context.js';
import { parseFileName, readTexts } from '../../file-options.js';
import type { FileWorld } from '../../files.js';
import { inputError } from '../../issues.js';
import { OptionReader, type Parser, type RawOptions } from '../../option-reader.js';
import { readPolicyFile } from '../../policy-file.js';
import { impossible, readAttestors, readCommon, readProject, required, throwIfWrong, type Common } from '../../request-readers.js';

/** `binauthz setup`, fully parsed. */
export interface ParsedSetup {
  readonly request: SetupRequest;
  readonly common: Common;
}

/** The request of `setup`; throws BinauthzErrors with everything that is wrong with options and files. */
export async function parseSetup(raw: RawOptions, env: Env, world: FileWorld): Promise<ParsedSetup> {
  const reader = new OptionReader(raw);
  const project = must(reader, 'project', readProject(reader, 'project'));
  const attestor = readAttestor(reader);
  const note = readNote(reader, attestor);
  const key = await readKey(reader, world);
  const attestationProject = readProject(reader, 'attestation-project') ?? (attestor && projectOf(attestor));
  const signers = reader.list('signer', parsePrincipal);
  const policy = await readPolicy(reader, project, world);
  const monitoring = readMonitoring(reader);
  const [dryRunRollout, allowWeakening, apply] = ['dry-run-rollout', 'allow-weakening', 'apply'].map((name) => reader.flag(name));
  const common = readCommon(reader, env);
  throwIfWrong(reader);
  if (!project || !attestor || !note || !key || !attestationProject) throw impossible();
  const desired = {
    ...{ project, attestor, note, key, attestationProject, signers },
    ...{ dryRunRollout: dryRunRollout === true, allowWeakening: allowWeakening === true },
    ...(policy && { policy }),
    ...(monitoring && { monitoring }),
  };
  return { request: { desired, apply: apply === true }, common };
}

function must<T>(reader: OptionReader, name: string, found: T | undefined): T | undefined {
  if (!reader.has(name)) reader.add(name, 'a value', 'none');
  return found;
}

function readAttestor(reader: OptionReader): AttestorName | undefined {
  const [attestor, ...others] = required(reader, 'attestor', readAttestors(reader)) ?? [];
  if (attestor !== undefined && others.length > 0)
    reader.add('attestor', 'one attestor; run once for each', [attestor, ...others].join(' and '));
  return attestor;
}

function readNote(reader: OptionReader, attestor: AttestorName | undefined): NoteName | undefined {
  const owner = attestor === undefined ? 'unknown' : projectOf(attestor);
  const note = reader.one('note', (text) => {
    const value = parseNoteName(text.includes('/') ? text : `projects/${owner}/notes/${text}`);
    if (value && !/^projects\/[0-9]+\//.test(value)) return { value };
    // Attestors name notes by the project's id.
    const hint = value ? { hint: 'write the project’s id instead of its number: gcloud projects list shows both' } : {};
    return { expected: 'projects/PROJECT/notes/NAME, or NAME in the project of the attestor', ...hint };
  });
  return must(reader, 'note', note);
}

async function readKey(reader: OptionReader, world: FileWorld): Promise<DesiredKey | undefined> {
  const names = ['kms-key', 'pgp-public-key-file'];
  const given = names.filter((name) => reader.has(name));
  if (given.length !== 1) {
    const spelled = names.map((name) => reader.spell(name)).join(' or ');
    reader.issues.push(inputError(`${spelled}: expected exactly one of them, got ${given.length === 0 ? 'none' : 'both'}`));
  }
  const key = reader.one('kms-key', parseKmsKey);
  const file = reader.one('pgp-public-key-file', parseFileName);
  if (key) return { kind: 'kms', key };
  return file === undefined ? undefined : readPgpKey(reader, file, world);
}

const parseKmsKey: Parser<KeyName> = (text) => {
  const value = parseKeyName(text);
  if (value) return { value };
  const [, key] = /^(.*)\/cryptoKeyVersions\/[^/]*$/.exec(text) ?? [];
  const hint = key === undefined ? {} : { hint: `leave the version out: ${key}; its newest enabled version is trusted` };
  return { expected: 'projects/P/locations/L/keyRings/R/cryptoKeys/K', ...hint };
};

// The parser of PGP keys is loaded only where there is one.
async function readPgpKey(reader: OptionReader, file: string, world: FileWorld): Promise<DesiredKey | undefined> {
  const [source] = await readTexts(reader, 'pgp-public-key-file', { paths: [file], world });
  if (!source) return undefined;
  const { readPublicKey } = await import('../../../signers/pgp.js');
  const isSecret = /-----BEGIN PGP PRIVATE KEY BLOCK-----/.test(source.text);
  const key = isSecret ? undefined : await readPublicKey(source.text, new Date());
  if (key?.unusable !== undefined) {
    const hint = 'an attestor that trusts it alone denies every image: export a key that can sign';
    reader.add('pgp-public-key-file', 'a key that can sign', `${key.fingerprint} in ${file}: ${key.unusable}`, hint);
    return undefined;
  }
  if (key) return { kind: 'pgp', file, armored: source.text, fingerprint: key.fingerprint };
  const got = isSecret ? `a private key in ${file}` : `something else in ${file}`;
  reader.add('pgp-public-key-file', 'exactly one armored PGP public key', got, 'export it: gpg --armor --export FINGERPRINT');
  return undefined;
}

const ADDRESS = /^[\w.!#%&'*+/=?^{|}~-]+@[\w.-]+$/;

/** Who IAM may give a role. */
export const parsePrincipal: Parser<Principal> = (text) => {
  const [, address = ''] = /^(?:serviceAccount|user|group):(.*)$/.exec(text) ?? [];
  if (ADDRESS.test(address) || /^principal(?:Set)?:\/\/iam\.googleapis\.com\/\S+$/.test(text)) return { value: text as Principal };
  const hint = ADDRESS.test(text) ? { hint: `say what it is: serviceAccount:${text}` } : {};
  return {
    expected: 'serviceAccount:EMAIL, user:EMAIL, group:EMAIL, principal://iam.googleapis.com/… or principalSet://iam.googleapis.com/…',
    ...hint,
  };
};

async function readPolicy(reader: OptionReader, project: ProjectId | undefined, world: FileWorld): Promise<DesiredPolicy | undefined> {
  const file = reader.one('policy', parseFileName);
  if (file !== undefined && reader.flag('dry-run-rollout')) {
    const message = `${reader.spell('policy')} and ${reader.spell('dry-run-rollout')}: expected one of the two, got both`;
    reader.issues.push(inputError(message, { hint: 'write enforcementMode: DRYRUN_AUDIT_LOG_ONLY into the rules of the file' }));
  }
  const found = file === undefined ? undefined : await readPolicyFile(reader, file, { world, project });
  return found && { ...found, document: found.document as DesiredPolicy['document'] };
}

function readMonitoring(reader: OptionReader): { readonly channels: readonly string[] } | undefined {
  const channels = reader.list('notification-channel', (text) =>
    /^projects\/[^/\s]+\/notificationChannels\/[^/\s]+$/.test(text)
      ? { value: text }
      : {
          expected: 'projects/PROJECT/notificationChannels/ID',
          hint: 'list them: gcloud beta monitoring channels list --format="value(name)"',
        },
  );
  if (reader.flag('monitoring')) return { channels };
  if (reader.has('notification-channel')) reader.add('notification-channel', `${reader.spell('monitoring')} beside it`, 'none');
  return undefined;
}
