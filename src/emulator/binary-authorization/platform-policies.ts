// SPDX-License-Identifier: Apache-2.0
// GKE platform policies, v1 alone: create, get, list, replace, delete and evaluate. They monitor; they never block.
import { pageOf } from '../paging.js';
import { jsonBody, param, route, type Call, type Reply, type Route } from '../router.js';
import { ApiError, enumMember, etagOf, refuseUnknown, requireEtag, stringMember, timestamp, type JsonObject } from '../wire.js';
import type { Evidence } from './platform/checks.js';
import { evaluate } from './platform/evaluate.js';
import { parseGkePolicy, type GkePolicy } from './platform/parse-policy.js';
import { podOf } from './platform/workloads.js';

const POLICIES = '/v1/projects/{project}/platforms/{platform}/policies';
const POLICY = `${POLICIES}/{policy}`;
const ATTESTATION_MODES = new Map([
  ['ATTESTATION_MODE_UNSPECIFIED', 0],
  ['GENERATE_DEPLOY', 1],
]);

interface Stored {
  readonly json: JsonObject;
  readonly etag: string;
  readonly policy: GkePolicy;
}

/** What a caller may write of a platform policy. */
interface Draft {
  readonly content: JsonObject;
  readonly etag: string;
  readonly policy: GkePolicy;
}

/** The platform policies of all projects. */
export class PlatformPolicies {
  private readonly byName = new Map<string, Stored>();
  private revision = 0;

  constructor(private readonly evidence: Evidence) {}

  /** What this API serves. */
  routes(): Route[] {
    return [
      route('POST', POLICIES, (call) => this.create(call)),
      route('GET', POLICIES, (call) => {
        this.permit(call, 'list', this.projectOf(call));
        const own = [...this.byName].filter(([name]) => name.startsWith(`${this.parentOf(call)}/`)).sort(([a], [b]) => (a < b ? -1 : 1));
        return { json: pageOf(own, call.query, { member: 'platformPolicies', show: ([, { json }]) => json }) };
      }),
      route('GET', POLICY, (call) => {
        this.permit(call, 'get');
        return { json: this.get(call).json };
      }),
      route('PUT', POLICY, async (call) => {
        this.permit(call, 'replace');
        this.get(call);
        const draft = await parseDraft(call);
        requireEtag(draft.etag, this.get(call).etag);
        return this.store(this.nameOf(call), draft);
      }),
      route('DELETE', POLICY, (call) => {
        this.permit(call, 'delete');
        requireEtag(call.query.get('etag'), this.get(call).etag);
        this.byName.delete(this.nameOf(call));
        return { json: {} };
      }),
      route('POST', `${POLICY}:evaluate`, (call) => this.evaluate(call)),
    ];
  }

  /** Forgets everything. */
  reset(): void {
    this.byName.clear();
  }

  private async create(call: Call): Promise<Reply> {
    this.permit(call, 'create', this.projectOf(call));
    const id = call.query.get('policyId') ?? '';
    if (!/^[A-Za-z0-9_-]{1,63}$/.test(id)) throw new ApiError('INVALID_ARGUMENT', `Invalid policy id: "${id}".`);
    const draft = await parseDraft(call);
    const name = `${this.parentOf(call)}/${id}`;
    if (this.byName.has(name)) throw new ApiError('ALREADY_EXISTS', `Requested entity already exists: ${name}`);
    return this.store(name, draft);
  }

  private async evaluate(call: Call): Promise<Reply> {
    this.permit(call, 'evaluatePolicy');
    const { policy } = this.get(call);
    const body = jsonBody(call);
    refuseUnknown(body, ['resource', 'attestationMode'], '');
    if (enumMember(body['attestationMode'], ATTESTATION_MODES, 'attestation_mode') === 'GENERATE_DEPLOY')
      throw new ApiError('FAILED_PRECONDITION', 'This emulator has no key to sign deploy attestations with: leave attestation_mode out.');
    // The object as it was sent: the members of a Kubernetes object have one spelling.
    const { resource } = JSON.parse(call.body.toString('utf8') || '{}') as JsonObject;
    const project = this.evidence.world.projectId(param(call, 'project'));
    return { json: await evaluate(policy, podOf(resource), { project, evidence: this.evidence }) };
  }

  private store(name: string, { content, policy }: Draft): Reply {
    this.revision += 1;
    const etag = `"${etagOf(content, this.revision)}"`;
    const json = { name, ...content, updateTime: timestamp(this.evidence.world.clock.now()), etag };
    this.byName.set(name, { json, etag, policy });
    return { json };
  }

  private get(call: Call): Stored {
    const stored = this.byName.get(this.nameOf(call));
    if (!stored) throw new ApiError('NOT_FOUND', `The platform policy ${this.nameOf(call)} was not found.`);
    return stored;
  }

  private permit(call: Call, verb: string, resource = this.nameOf(call)): void {
    this.evidence.world.iam.require(call, `binaryauthorization.platformPolicies.${verb}`, resource);
    if (param(call, 'platform') !== 'gke')
      throw new ApiError('INVALID_ARGUMENT', `The platform "${param(call, 'platform')}" is not supported; it must be gke.`);
  }

  private projectOf(call: Call): string {
    return `projects/${this.evidence.world.projectId(param(call, 'project'))}`;
  }

  private parentOf(call: Call): string {
    return `${this.projectOf(call)}/platforms/${param(call, 'platform')}/policies`;
  }

  private nameOf(call: Call): string {
    return `${this.parentOf(call)}/${param(call, 'policy')}`;
  }
}

async function parseDraft(call: Call): Promise<Draft> {
  const body = jsonBody(call);
  refuseUnknown(body, ['name', 'description', 'etag', 'gkePolicy', 'updateTime', 'cloudRunPolicy'], 'platform_policy');
  const description = stringMember(body, 'description');
  const policy = await parseGkePolicy(body['gkePolicy']);
  return {
    content: { ...(description === '' ? {} : { description }), gkePolicy: body['gkePolicy'] },
    etag: stringMember(body, 'etag'),
    policy,
  };
}
