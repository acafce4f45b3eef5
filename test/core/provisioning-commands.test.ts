// SPDX-License-Identifier: Apache-2.0
// The commands that a person would type instead, word by word: what is printed here is run as it stands.
import { describe, expect, it } from 'vitest';
import type { AttestorName, KeyName, KeyVersionName, NoteName, ProjectId } from '../../src/core/names.js';
import * as commands from '../../src/core/provisioning/commands.js';

const PROJECT = 'shop' as ProjectId;
const ATTESTOR = 'projects/at/attestors/built' as AttestorName;
const NOTE = 'projects/no/notes/built-note' as NoteName;
const KEY = 'projects/ke/locations/global/keyRings/ci/cryptoKeys/signer' as KeyName;
const VERSION = `${KEY}/cryptoKeyVersions/3` as KeyVersionName;
const POST = `curl -sS --fail-with-body -X POST -H "Authorization: Bearer $(gcloud auth print-access-token)" -H 'Content-Type: application/json'`;
const ANALYSIS = 'https://containeranalysis.googleapis.com/v1';
const GRANT = { role: 'roles/x.y', member: 'user:a@b.c' };

describe('by hand', () => {
  it.each<[string, string, string]>([
    [
      'switch APIs on',
      commands.enableServices(PROJECT, ['a.googleapis.com', 'b.googleapis.com']),
      'gcloud services enable a.googleapis.com b.googleapis.com --project=shop',
    ],
    [
      'make a note',
      commands.createNote(NOTE, { humanReadableName: 'it’s built' }),
      `${POST} -d '{"attestation":{"hint":{"humanReadableName":"it’s built"}}}' '${ANALYSIS}/projects/no/notes?noteId=built-note'`,
    ],
    [
      'make a key ring',
      commands.createKeyRing('projects/ke/locations/global/keyRings/ci'),
      'gcloud kms keyrings create ci --location=global --project=ke',
    ],
    [
      'make a key',
      commands.createKey(KEY, 'EC_SIGN_P256_SHA256'),
      'gcloud kms keys create signer --keyring=ci --location=global --project=ke --purpose=asymmetric-signing --default-algorithm=ec-sign-p256-sha256',
    ],
    [
      'make an attestor',
      commands.createAttestor(ATTESTOR, NOTE),
      'gcloud container binauthz attestors create built --project=at --attestation-authority-note=built-note --attestation-authority-note-project=no',
    ],
    [
      'have it trust a key',
      commands.addKmsKey(ATTESTOR, VERSION),
      'gcloud container binauthz attestors public-keys add --attestor=built --project=at --keyversion-project=ke --keyversion-location=global --keyversion-keyring=ci' +
        ` --keyversion-key=signer --keyversion=3 --public-key-id-override=//cloudkms.googleapis.com/v1/${VERSION}`,
    ],
    [
      'have it trust a PGP key',
      commands.addPgpKey(ATTESTOR, 'my key.asc'),
      "gcloud container binauthz attestors public-keys add --attestor=built --project=at '--pgp-public-key-file=my key.asc'",
    ],
    [
      'have Google make an account',
      commands.makeAgent(PROJECT),
      'gcloud beta services identity create --service=binaryauthorization.googleapis.com --project=shop',
    ],
    [
      'make a metric',
      commands.createMetric('projects/p/metrics/m', { description: 'd', filter: 'a="1"' }),
      `gcloud logging metrics create m --project=p --description=d '--log-filter=a="1"'`,
    ],
    ['delete a metric', commands.deleteMetric('projects/p/metrics/m'), 'gcloud logging metrics delete m --project=p'],
    [
      'make an alert policy',
      commands.createAlert(PROJECT, { a: 1 }),
      `gcloud alpha monitoring policies create --project=shop '--policy={"a":1}'`,
    ],
    [
      'have it tell more channels',
      commands.addChannels('projects/p/alertPolicies/7', ['projects/p/notificationChannels/1', 'projects/p/notificationChannels/2']),
      'gcloud alpha monitoring policies update projects/p/alertPolicies/7 --add-notification-channels=projects/p/notificationChannels/1,projects/p/notificationChannels/2',
    ],
  ])('%s', (_, command, expected) => expect(command).toBe(expected));

  it.each<[string, string]>([
    ['projects/p', 'gcloud projects add-iam-policy-binding p'],
    ['projects/p/attestors/a', 'gcloud container binauthz attestors add-iam-policy-binding a --project=p'],
    ['projects/p/policy', 'gcloud container binauthz policy add-iam-policy-binding --project=p'],
    ['projects/p/locations/l/repositories/images', 'gcloud artifacts repositories add-iam-policy-binding images --location=l --project=p'],
    [KEY, 'gcloud kms keys add-iam-policy-binding signer --keyring=ci --location=global --project=ke'],
    // A key ring may well be called `notes`.
    [
      'projects/p/locations/l/keyRings/notes/cryptoKeys/k',
      'gcloud kms keys add-iam-policy-binding k --keyring=notes --location=l --project=p',
    ],
  ])('give a role on %s, one command for each', (resource, expected) => {
    const tail = '--condition=None --member=user:a@b.c --role=roles/x';
    expect(commands.grantRoles(resource, [GRANT, { ...GRANT, role: 'roles/x.z' }])).toBe(`${expected} ${tail}.y\n${expected} ${tail}.z`);
  });

  it('give roles on a note, all in one write that loses nobody’s', () => {
    const grants = [GRANT, { ...GRANT, role: 'roles/x.z' }, { ...GRANT, member: 'user:d@e.f' }];
    expect(commands.grantRoles(NOTE, grants)).toBe(
      [
        `${POST} -d '{"options": {"requestedPolicyVersion": 3}}' ${ANALYSIS}/${NOTE}:getIamPolicy`,
        `jq --arg member0 user:a@b.c --arg member1 user:d@e.f '{policy: (.bindings += [{role: "roles/x.y", members: [$member0]}, ` +
          `{role: "roles/x.z", members: [$member0]}, {role: "roles/x.y", members: [$member1]}] | .version = 3)}'`,
        `${POST} -d @- ${ANALYSIS}/${NOTE}:setIamPolicy`,
      ].join(' \\\n  | '),
    );
  });

  it('ask for an account that only its attestor, or its project, tells', () => {
    const describeIt = '$(gcloud container binauthz attestors describe built --project=at';
    const agent = commands.agentOfAttestor(ATTESTOR);
    expect(agent).toBe(`serviceAccount:${describeIt} '--format=value(userOwnedGrafeasNote.delegationServiceAccountEmail)')`);
    expect(commands.grantRoles(NOTE, [{ ...GRANT, member: agent }])).toContain(`--arg member0 "${agent}"`);
    expect(commands.agentOfProject(PROJECT)).toBe(
      `serviceAccount:service-$(gcloud projects describe shop '--format=value(projectNumber)')@gcp-sa-binaryauthorization.iam.gserviceaccount.com`,
    );
  });
});
