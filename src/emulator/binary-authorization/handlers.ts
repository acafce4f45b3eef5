// SPDX-License-Identifier: Apache-2.0
// Binary Authorization v1, v1beta1 and v1alpha2 over one store.
import { iamRoutes } from '../iam.js';
import { pageOf } from '../paging.js';
import { jsonBody, param, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError, stringMember } from '../wire.js';
import type { World } from '../world.js';
import { Attestors, parseAttestor, renderAttestor, type Attestor } from './attestors.js';
import type { Evidence } from './platform/checks.js';
import { PlatformPolicies } from './platform-policies.js';
import { attestorsOf, parsePolicy, Policies, RULE_MAPS } from './policy.js';
import { validateOccurrence } from './validate.js';
import { ANY_VERSION, noteMember } from './versions.js';

const ATTESTORS = `${ANY_VERSION}/projects/{project}/attestors`;
const ATTESTOR = `${ATTESTORS}/{attestor}`;
const POLICY = `${ANY_VERSION}/projects/{project}/policy`;

/** The Binary Authorization API. */
export interface BinaryAuthorization {
  readonly routes: readonly Route[];
  reset(): void;
  /** Replaces the system policy of a location, which Google's own API cannot. */
  setSystemPolicy(call: Call): Reply;
}

/** Binary Authorization with an empty store; platform policies are evaluated over what other APIs hold. */
export function createBinaryAuthorization(evidence: Evidence): BinaryAuthorization {
  const { world } = evidence;
  const platformPolicies = new PlatformPolicies(evidence);
  const attestors = new Attestors(world);
  const policies = new Policies(world.clock);
  return {
    routes: [...attestorRoutes(world, attestors), ...policyRoutes(world, policies, attestors), ...platformPolicies.routes()],
    reset: () => {
      attestors.reset();
      policies.reset();
      platformPolicies.reset();
    },
    setSystemPolicy: (call) => ({ json: policies.setSystem(param(call, 'location'), jsonBody(call, RULE_MAPS)) }),
  };
}

/** The call's project by id, which the path may also give by number. */
function projectOf(world: World, call: Call): string {
  return world.projectId(param(call, 'project'));
}

function attestorRoutes(world: World, attestors: Attestors): Route[] {
  const { iam } = world;
  const attestorName = (call: Call) => `projects/${projectOf(world, call)}/attestors/${param(call, 'attestor')}`;
  const permitted = (call: Call, verb: string) => iam.require(call, `binaryauthorization.attestors.${verb}`, attestorName(call));
  const reply = (call: Call, name: string): Reply => ({ json: renderAttestor(attestors.get(name), noteMember(call)) });
  return [
    route('POST', ATTESTORS, (call) => createAttestor(world, attestors, call)),
    route('GET', ATTESTORS, (call) => {
      iam.require(call, 'binaryauthorization.attestors.list', `projects/${projectOf(world, call)}`);
      const show = (attestor: Attestor) => renderAttestor(attestor, noteMember(call));
      return { json: pageOf(attestors.list(projectOf(world, call)), call.query, { member: 'attestors', show }) };
    }),
    route('GET', ATTESTOR, (call) => {
      permitted(call, 'get');
      return reply(call, attestorName(call));
    }),
    route('PUT', ATTESTOR, async (call) => {
      permitted(call, 'update');
      attestors.get(attestorName(call));
      const draft = await parseAttestor(jsonBody(call), noteMember(call));
      attestors.update(attestorName(call), draft);
      return reply(call, attestorName(call));
    }),
    route('DELETE', ATTESTOR, (call) => {
      permitted(call, 'delete');
      attestors.delete(attestorName(call));
      iam.forget(attestorName(call));
      return { json: {} };
    }),
    route('POST', `${ATTESTOR}:validateAttestationOccurrence`, (call) => {
      permitted(call, 'verifyImageAttested');
      return validateOccurrence(world, attestors.get(attestorName(call)), call);
    }),
    ...iamRoutes(iam, {
      template: ATTESTOR,
      resource: attestorName,
      exists: (call) => void attestors.get(attestorName(call)),
      permissions: { get: 'binaryauthorization.attestors.getIamPolicy', set: 'binaryauthorization.attestors.setIamPolicy' },
    }),
  ];
}

async function createAttestor(world: World, attestors: Attestors, call: Call): Promise<Reply> {
  const { iam } = world;
  const project = projectOf(world, call);
  iam.require(call, 'binaryauthorization.attestors.create', `projects/${project}`);
  const id = call.query.get('attestorId') ?? '';
  if (id === '') throw new ApiError('INVALID_ARGUMENT', 'attestor_id is required.');
  const draft = await parseAttestor(jsonBody(call), noteMember(call));
  iam.require(call, 'containeranalysis.notes.list', draft.noteReference.split('/').slice(0, 2).join('/'));
  return { json: renderAttestor(attestors.create(project, id, draft), noteMember(call)) };
}

function policyRoutes(world: World, policies: Policies, attestors: Attestors): Route[] {
  const { iam } = world;
  const policyName = (call: Call) => `projects/${projectOf(world, call)}/policy`;
  return [
    route('GET', POLICY, (call) => {
      iam.require(call, 'binaryauthorization.policy.get', policyName(call));
      return { json: policies.get(projectOf(world, call)) };
    }),
    route('PUT', POLICY, (call) => {
      iam.require(call, 'binaryauthorization.policy.update', policyName(call));
      const body = jsonBody(call, RULE_MAPS);
      const content = parsePolicy(body, { oneMap: param(call, 'version') === 'v1' });
      for (const name of attestorsOf(content)) requireReadable(world, attestors, call, name);
      return { json: policies.set(projectOf(world, call), content, stringMember(body, 'etag')) };
    }),
    ...iamRoutes(iam, {
      template: POLICY,
      resource: policyName,
      exists: () => undefined,
      permissions: { get: 'binaryauthorization.policy.getIamPolicy', set: 'binaryauthorization.policy.setIamPolicy' },
    }),
    // The system policy is the same for everybody: no permission guards it.
    route('GET', `${ANY_VERSION}/locations/{location}/policy`, (call) => ({ json: policies.system(param(call, 'location')) })),
    route('GET', '/v1alpha2/projects/{project}/continuousValidationConfig', (call) => {
      const name = `projects/${projectOf(world, call)}/continuousValidationConfig`;
      iam.require(call, 'binaryauthorization.continuousValidationConfig.get', name);
      return { json: { name, enforcementPolicyConfig: {} } };
    }),
  ];
}

/** An attestor must exist, and the caller must be able to read it, before a policy can refer to it. */
function requireReadable({ iam }: World, attestors: Attestors, call: Call, name: string): void {
  iam.require(call, 'binaryauthorization.attestors.get', name);
  iam.require(call, 'binaryauthorization.attestors.list', name);
  if (!attestors.has(name))
    throw new ApiError('INVALID_ARGUMENT', `The attestor ${name} does not exist: it must, before a policy can reference it.`);
}
