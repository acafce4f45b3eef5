// SPDX-License-Identifier: Apache-2.0
// Repositories of Artifact Registry v1.
import { iamRoutes } from '../iam.js';
import { jsonBody, param, route, type Call, type Reply, type Route } from '../router.js';
import {
  ApiError,
  camelCase,
  enumMember,
  objectMember,
  refuseUnknown,
  stringMapMember,
  stringMember,
  timestamp,
  type JsonObject,
} from '../wire.js';
import { listReply } from './listing.js';
import { LOCATIONS } from './locations.js';
import { addressOf, existing, parentOf, repositoryOf, type Api } from './lookups.js';
import { gcrLocation, registryUri, repositoryName, type RepositoryAddress } from './registry-hosts.js';
import type { Repository } from './state.js';

const FORMATS: ReadonlyMap<string, number> = new Map([
  ['FORMAT_UNSPECIFIED', 0],
  ['DOCKER', 1],
  ['MAVEN', 2],
  ['NPM', 3],
  ['APT', 5],
  ['YUM', 6],
  ['PYTHON', 8],
  ['KFP', 9],
  ['GO', 10],
  ['GENERIC', 11],
  ['RUBY', 12],
]);

const MODES: ReadonlyMap<string, number> = new Map([
  ['MODE_UNSPECIFIED', 0],
  ['STANDARD_REPOSITORY', 1],
  ['VIRTUAL_REPOSITORY', 2],
  ['REMOTE_REPOSITORY', 3],
]);

const REPOSITORY_ID = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MUTABLE = ['description', 'labels', 'dockerConfig', 'cleanupPolicies', 'cleanupPolicyDryRun', 'vulnerabilityScanningConfig'] as const;
const MEMBERS = [
  ...['name', 'format', 'createTime', 'updateTime', 'kmsKeyName', 'mode', 'sizeBytes', 'satisfiesPzs', 'satisfiesPzi', 'registryUri'],
  ...['disallowUnspecifiedMode', 'mavenConfig', 'virtualRepositoryConfig', 'remoteRepositoryConfig', 'platformLogsConfig'],
  ...MUTABLE,
];
const COLLECTION = '/v1/projects/{project}/locations/{location}/repositories';
const RESOURCE = `${COLLECTION}/{repository}`;

/** The routes of repositories, IAM included. */
export function repositoryRoutes(api: Api): readonly Route[] {
  return [
    route('GET', COLLECTION, (call) => listRepositories(api, call)),
    route('POST', COLLECTION, (call) => createRepository(api, call)),
    route('GET', RESOURCE, (call) => ({ json: repositoryJson(repositoryOf(api, call, 'artifactregistry.repositories.get')) })),
    route('PATCH', RESOURCE, (call) => updateRepository(api, call)),
    route('DELETE', RESOURCE, (call) => deleteRepository(api, call)),
    ...iamRoutes(api.world.iam, {
      template: RESOURCE,
      resource: (call) => repositoryName(addressOf(call)),
      exists: (call) => existing(api.images.find(addressOf(call))),
      permissions: { get: 'artifactregistry.repositories.getIamPolicy', set: 'artifactregistry.repositories.setIamPolicy' },
    }),
  ];
}

function listRepositories({ world, images }: Api, call: Call): Reply {
  world.iam.require(call, 'artifactregistry.repositories.list', parentOf(call));
  const found = images.list(param(call, 'project'), param(call, 'location'));
  return listReply(found.map(repositoryJson), call.query, 'repositories');
}

function createRepository({ world, images, operations }: Api, call: Call): Reply {
  world.iam.require(call, 'artifactregistry.repositories.create', parentOf(call));
  const body = repositoryBody(call);
  const format = enumMember(body['format'], FORMATS, 'repository.format', 'FORMAT_UNSPECIFIED');
  if (format === 'FORMAT_UNSPECIFIED') throw new ApiError('INVALID_ARGUMENT', 'repository.format is required.');
  const mode = enumMember(body['mode'], MODES, 'repository.mode', 'STANDARD_REPOSITORY');
  if (/^(VIRTUAL|REMOTE)_/.test(mode))
    throw new ApiError('INVALID_ARGUMENT', `repository.mode ${mode}: the emulator has standard repositories only.`);
  const address = newAddress(call);
  if (images.find(address)) throw new ApiError('ALREADY_EXISTS', 'the repository already exists');
  const repository = images.create(address, { format, fields: pick(body, MUTABLE) });
  return { json: operations.created(parentOf(call), repositoryJson(repository)) };
}

function repositoryBody(call: Call): JsonObject {
  const body = jsonBody(call, ['labels', 'cleanupPolicies']);
  refuseUnknown(body, MEMBERS, 'repository');
  stringMember(body, 'description');
  stringMapMember(body, 'labels');
  for (const member of ['dockerConfig', 'cleanupPolicies', 'vulnerabilityScanningConfig']) objectMember(body, member);
  return body;
}

function newAddress(call: Call): RepositoryAddress {
  const repository = call.query.get('repositoryId') ?? '';
  const location = param(call, 'location');
  if (!LOCATIONS.includes(location)) throw new ApiError('INVALID_ARGUMENT', `Location ${location} is not found or access is unauthorized.`);
  const fixed = gcrLocation(repository);
  if (fixed === undefined && !REPOSITORY_ID.test(repository))
    throw new ApiError('INVALID_ARGUMENT', `Invalid repository id "${repository}".`);
  if (fixed !== undefined && fixed !== location)
    throw new ApiError('INVALID_ARGUMENT', `Repository ${repository} must be in location ${fixed}.`);
  return { project: param(call, 'project'), location, repository };
}

function updateRepository(api: Api, call: Call): Reply {
  const repository = repositoryOf(api, call, 'artifactregistry.repositories.update');
  const body = repositoryBody(call);
  const mask = call.query.get('updateMask') ?? '';
  const members = mask === '' || mask === '*' ? Object.keys(pick(body, MUTABLE)) : maskMembers(mask);
  const kept = Object.entries(repository.fields).filter(([member]) => !members.includes(member));
  repository.fields = { ...Object.fromEntries(kept), ...pick(body, members) };
  repository.updateTime = api.world.clock.now();
  return { json: repositoryJson(repository) };
}

function maskMembers(mask: string): readonly string[] {
  const members = mask.split(',').map((path) => camelCase(path.split('.', 1)[0] ?? ''));
  const wrong = members.find((member) => !MUTABLE.some((known) => known === member));
  if (wrong !== undefined) throw new ApiError('INVALID_ARGUMENT', `Field "${wrong}" cannot be updated.`);
  return members;
}

function deleteRepository(api: Api, call: Call): Reply {
  const repository = repositoryOf(api, call, 'artifactregistry.repositories.delete');
  api.images.delete(repository.address);
  api.world.iam.forget(repository.name);
  return { json: api.operations.deleted(parentOf(call)) };
}

function repositoryJson(repository: Repository): JsonObject {
  return {
    name: repository.name,
    format: repository.format,
    ...repository.fields,
    createTime: timestamp(repository.createTime),
    updateTime: timestamp(repository.updateTime),
    mode: 'STANDARD_REPOSITORY',
    sizeBytes: String(sizeOf(repository)),
    registryUri: registryUri(repository.address),
  };
}

function sizeOf(repository: Repository): number {
  const blobs = [...repository.images.values()].flatMap((image) => [...image.blobs]);
  // A blob that several images share is stored, and counted, once.
  return [...new Map(blobs).values()].reduce((sum, blob) => sum + blob.length, 0);
}

function pick(object: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([member]) => members.includes(member)));
}
