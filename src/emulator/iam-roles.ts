// SPDX-License-Identifier: Apache-2.0
// Which permissions a role carries, from Google's IAM reference, for the services that the emulator serves.

/** A role's permissions: full names, or patterns whose `*` stands for any text; `except` takes away again. */
interface Role {
  readonly allow: readonly string[];
  readonly except?: readonly string[];
}

const PROJECT_VIEW = ['resourcemanager.projects.get', 'resourcemanager.projects.list'];
const KMS_LOCATIONS = ['cloudkms.locations.get', 'cloudkms.locations.list', 'resourcemanager.projects.get'];
const ATTESTOR_VIEW = ['binaryauthorization.attestors.get', 'binaryauthorization.attestors.list', ...PROJECT_VIEW];
const POLICY_VIEW = [
  'binaryauthorization.policy.get',
  'binaryauthorization.platformPolicies.get',
  'binaryauthorization.platformPolicies.list',
  'binaryauthorization.continuousValidationConfig.get',
  ...PROJECT_VIEW,
];
const ARTIFACT_READ = [
  'artifactregistry.dockerimages.*',
  'artifactregistry.*.get',
  'artifactregistry.*.list',
  'artifactregistry.files.download',
  'artifactregistry.repositories.downloadArtifacts',
  'artifactregistry.repositories.listEffectiveTags',
  'artifactregistry.repositories.listTagBindings',
  'artifactregistry.repositories.readViaVirtualRepository',
];
const ARTIFACT_WRITE = [
  ...ARTIFACT_READ,
  'artifactregistry.files.update',
  'artifactregistry.files.upload',
  'artifactregistry.repositories.uploadArtifacts',
  'artifactregistry.tags.create',
  'artifactregistry.tags.update',
  'artifactregistry.versions.update',
];
// Signing, decrypting and reading public keys are kept out of the basic Editor and of the KMS admin: whoever
// manages a key does not thereby use it.
const KEY_USE = ['cloudkms.cryptoKeyVersions.useTo*', 'cloudkms.cryptoKeyVersions.viewPublicKey'];

const BASIC: Readonly<Record<string, Role>> = {
  'roles/owner': { allow: ['*'] },
  'roles/editor': { allow: ['*'], except: ['*.setIamPolicy', ...KEY_USE, 'logging.privateLogEntries.*'] },
  'roles/viewer': {
    allow: ['*.get', '*.list', '*.getIamPolicy', 'containeranalysis.notes.listOccurrences', ...ARTIFACT_READ],
    // Data-access logs are for the owner, and for those who hold a role on them.
    except: ['logging.privateLogEntries.*'],
  },
  'roles/browser': { allow: [...PROJECT_VIEW, 'resourcemanager.projects.getIamPolicy'] },
  'roles/resourcemanager.projectIamAdmin': {
    allow: [...PROJECT_VIEW, 'resourcemanager.projects.getIamPolicy', 'resourcemanager.projects.setIamPolicy'],
  },
  'roles/iam.securityReviewer': { allow: ['*.getIamPolicy', '*.list'] },
  'roles/iam.securityAdmin': { allow: ['*.getIamPolicy', '*.setIamPolicy', '*.list', 'resourcemanager.projects.get'] },
  'roles/serviceusage.serviceUsageViewer': {
    allow: ['serviceusage.services.get', 'serviceusage.services.list', 'serviceusage.operations.get', ...PROJECT_VIEW],
  },
  'roles/serviceusage.serviceUsageConsumer': {
    allow: ['serviceusage.services.get', 'serviceusage.services.list', 'serviceusage.services.use', 'serviceusage.operations.get'],
  },
  'roles/serviceusage.serviceUsageAdmin': { allow: ['serviceusage.services.*', 'serviceusage.operations.*', ...PROJECT_VIEW] },
};

const BINARY_AUTHORIZATION: Readonly<Record<string, Role>> = {
  'roles/binaryauthorization.attestorsViewer': { allow: ATTESTOR_VIEW },
  'roles/binaryauthorization.attestorsVerifier': { allow: [...ATTESTOR_VIEW, 'binaryauthorization.attestors.verifyImageAttested'] },
  'roles/binaryauthorization.attestorsEditor': {
    allow: ['binaryauthorization.attestors.*', ...PROJECT_VIEW],
    except: ['*.getIamPolicy', '*.setIamPolicy'],
  },
  'roles/binaryauthorization.attestorsAdmin': { allow: ['binaryauthorization.attestors.*', ...PROJECT_VIEW] },
  'roles/binaryauthorization.policyViewer': { allow: POLICY_VIEW },
  'roles/binaryauthorization.policyEvaluator': {
    allow: [...POLICY_VIEW, 'binaryauthorization.policy.evaluatePolicy', 'binaryauthorization.platformPolicies.evaluatePolicy'],
  },
  'roles/binaryauthorization.policyEditor': {
    allow: [
      'binaryauthorization.policy.*',
      'binaryauthorization.platformPolicies.*',
      'binaryauthorization.continuousValidationConfig.*',
      ...PROJECT_VIEW,
    ],
    except: ['*.getIamPolicy', '*.setIamPolicy'],
  },
  'roles/binaryauthorization.policyAdmin': {
    allow: [
      'binaryauthorization.policy.*',
      'binaryauthorization.platformPolicies.*',
      'binaryauthorization.continuousValidationConfig.*',
      ...PROJECT_VIEW,
    ],
  },
  'roles/binaryauthorization.serviceAgent': {
    allow: [
      ...ATTESTOR_VIEW,
      'binaryauthorization.attestors.verifyImageAttested',
      'containeranalysis.notes.get',
      'containeranalysis.notes.list',
      'containeranalysis.notes.listOccurrences',
      'containeranalysis.occurrences.get',
      'containeranalysis.occurrences.list',
    ],
  },
};

const CONTAINER_ANALYSIS: Readonly<Record<string, Role>> = {
  'roles/containeranalysis.admin': { allow: ['containeranalysis.*', ...PROJECT_VIEW] },
  'roles/containeranalysis.notes.attacher': { allow: ['containeranalysis.notes.attachOccurrence', 'containeranalysis.notes.get'] },
  'roles/containeranalysis.notes.occurrences.viewer': { allow: ['containeranalysis.notes.get', 'containeranalysis.notes.listOccurrences'] },
  'roles/containeranalysis.notes.viewer': { allow: ['containeranalysis.notes.get', 'containeranalysis.notes.list', ...PROJECT_VIEW] },
  'roles/containeranalysis.notes.editor': {
    allow: ['attachOccurrence', 'create', 'delete', 'get', 'list', 'update']
      .map((verb) => `containeranalysis.notes.${verb}`)
      .concat(PROJECT_VIEW),
  },
  'roles/containeranalysis.occurrences.viewer': {
    allow: ['containeranalysis.occurrences.get', 'containeranalysis.occurrences.list', ...PROJECT_VIEW],
  },
  'roles/containeranalysis.occurrences.editor': {
    allow: ['create', 'delete', 'get', 'list', 'update'].map((verb) => `containeranalysis.occurrences.${verb}`).concat(PROJECT_VIEW),
  },
};

const CLOUD_KMS: Readonly<Record<string, Role>> = {
  'roles/cloudkms.admin': { allow: ['cloudkms.*', 'resourcemanager.projects.get'], except: KEY_USE },
  'roles/cloudkms.viewer': { allow: ['cloudkms.*.get', 'cloudkms.*.list', 'resourcemanager.projects.get'] },
  'roles/cloudkms.signer': { allow: ['cloudkms.cryptoKeyVersions.useToSign', ...KMS_LOCATIONS] },
  'roles/cloudkms.verifier': {
    allow: ['cloudkms.cryptoKeyVersions.useToVerify', 'cloudkms.cryptoKeyVersions.viewPublicKey', ...KMS_LOCATIONS],
  },
  'roles/cloudkms.signerVerifier': {
    allow: [
      'cloudkms.cryptoKeyVersions.useToSign',
      'cloudkms.cryptoKeyVersions.useToVerify',
      'cloudkms.cryptoKeyVersions.viewPublicKey',
      ...KMS_LOCATIONS,
    ],
  },
  'roles/cloudkms.publicKeyViewer': { allow: ['cloudkms.cryptoKeyVersions.viewPublicKey', ...KMS_LOCATIONS] },
  'roles/cloudkms.cryptoOperator': { allow: [...KEY_USE, ...KMS_LOCATIONS] },
};

const ARTIFACT_REGISTRY: Readonly<Record<string, Role>> = {
  'roles/artifactregistry.reader': { allow: ARTIFACT_READ },
  'roles/artifactregistry.writer': { allow: ARTIFACT_WRITE },
  'roles/artifactregistry.repoAdmin': {
    allow: [
      ...ARTIFACT_WRITE,
      'artifactregistry.files.delete',
      'artifactregistry.packages.delete',
      'artifactregistry.packages.update',
      'artifactregistry.repositories.deleteArtifacts',
      'artifactregistry.tags.delete',
      'artifactregistry.versions.delete',
    ],
  },
  'roles/artifactregistry.createOnPushWriter': { allow: [...ARTIFACT_WRITE, 'artifactregistry.repositories.createOnPush'] },
  'roles/artifactregistry.admin': { allow: ['artifactregistry.*'] },
  'roles/storage.objectViewer': { allow: ['storage.objects.get', 'storage.objects.list'] },
};

const PLATFORMS: Readonly<Record<string, Role>> = {
  'roles/container.clusterViewer': { allow: ['container.clusters.get', 'container.clusters.list', ...PROJECT_VIEW] },
  'roles/container.viewer': { allow: ['container.*.get', 'container.*.list', ...PROJECT_VIEW] },
  'roles/container.clusterAdmin': { allow: ['container.clusters.*', 'container.operations.*', ...PROJECT_VIEW] },
  'roles/container.admin': { allow: ['container.*', ...PROJECT_VIEW] },
  'roles/run.viewer': { allow: ['run.*.get', 'run.*.list', 'run.*.getIamPolicy', ...PROJECT_VIEW] },
  'roles/run.developer': { allow: ['run.*'], except: ['*.setIamPolicy'] },
  'roles/run.admin': { allow: ['run.*', ...PROJECT_VIEW] },
  'roles/logging.viewer': {
    allow: ['logging.*.get', 'logging.*.list', 'resourcemanager.projects.get'],
    except: ['logging.privateLogEntries.*'],
  },
  'roles/logging.privateLogViewer': {
    allow: ['logging.*.get', 'logging.*.list', 'logging.privateLogEntries.*', 'resourcemanager.projects.get'],
  },
  'roles/logging.logWriter': { allow: ['logging.logEntries.create'] },
  'roles/logging.configWriter': {
    allow: ['logging.logMetrics.*', 'logging.sinks.*', 'logging.exclusions.*', 'resourcemanager.projects.get'],
  },
  'roles/logging.admin': { allow: ['logging.*', 'resourcemanager.projects.get'] },
  'roles/monitoring.viewer': { allow: ['monitoring.*.get', 'monitoring.*.list', ...PROJECT_VIEW] },
  'roles/monitoring.alertPolicyViewer': { allow: ['monitoring.alertPolicies.get', 'monitoring.alertPolicies.list'] },
  'roles/monitoring.alertPolicyEditor': { allow: ['monitoring.alertPolicies.*'] },
  'roles/monitoring.notificationChannelViewer': { allow: ['monitoring.notificationChannels.get', 'monitoring.notificationChannels.list'] },
  'roles/monitoring.metricWriter': {
    allow: ['monitoring.metricDescriptors.create', 'monitoring.metricDescriptors.get', 'monitoring.metricDescriptors.list'],
  },
  'roles/monitoring.notificationChannelEditor': { allow: ['monitoring.notificationChannels.*'] },
  'roles/monitoring.editor': { allow: ['monitoring.*', ...PROJECT_VIEW] },
  'roles/monitoring.admin': { allow: ['monitoring.*', ...PROJECT_VIEW] },
};

const ROLES: ReadonlyMap<string, Role> = new Map(
  [BASIC, BINARY_AUTHORIZATION, CONTAINER_ANALYSIS, CLOUD_KMS, ARTIFACT_REGISTRY, PLATFORMS].flatMap((table) => Object.entries(table)),
);

/** Whether a role carries a permission. A role that the emulator does not know carries none. */
export function roleAllows(role: string, permission: string): boolean {
  const known = ROLES.get(role);
  if (!known) return false;
  return known.allow.some((pattern) => covers(pattern, permission)) && !known.except?.some((pattern) => covers(pattern, permission));
}

function covers(pattern: string, permission: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === permission;
  const start = pattern.slice(0, star);
  const end = pattern.slice(star + 1);
  return permission.length >= start.length + end.length && permission.startsWith(start) && permission.endsWith(end);
}
