// SPDX-License-Identifier: Apache-2.0
// Service Usage: which Google APIs a project has switched on. All of them are, until one is disabled.
import { pageOf } from '../paging.js';
import { jsonBody, param, route, type Call, type Handler, type Route } from '../router.js';
import { ApiError, refuseUnknown, stringsMember, type JsonObject } from '../wire.js';
import type { World } from '../world.js';
import { SERVED, type Switches } from './switches.js';

const SERVICE = '/v1/projects/{project}/services/{service}';

/** Service agents whose address does not follow the rule `gcp-sa-NAME`. */
const AGENT_DOMAINS: Readonly<Record<string, string>> = {
  containeranalysis: 'container-analysis',
  container: 'container-engine-robot',
  run: 'serverless-robot-prod',
};

/** Service Usage over the switches of every project. */
export function createServiceUsage(world: World, switches: Switches): { readonly routes: readonly Route[]; reset(): void } {
  const states = new States(world, switches);
  return {
    routes: [
      route('GET', SERVICE, (call) => {
        permitted(world, call, 'get');
        return { json: states.render(project(world, call), param(call, 'service')) };
      }),
      route('GET', '/v1/projects/{project}/services', (call) => {
        permitted(world, call, 'list');
        return { json: listServices(states, project(world, call), call) };
      }),
      route('POST', `${SERVICE}:enable`, switchOne(world, states, 'ENABLED')),
      route('POST', `${SERVICE}:disable`, switchOne(world, states, 'DISABLED')),
      route('POST', '/v1/projects/{project}/services:batchEnable', (call) => {
        permitted(world, call, 'enable');
        const body = jsonBody(call);
        refuseUnknown(body, ['parent', 'serviceIds'], '');
        const ids = stringsMember(body, 'serviceIds');
        if (ids.length === 0 || ids.length > 20) throw new ApiError('INVALID_ARGUMENT', 'service_ids must name 1 to 20 services.');
        const services = ids.map((id) => states.set(project(world, call), id, 'ENABLED'));
        return { json: done(`batch.${world.projectNumber(project(world, call))}`, 'v1.BatchEnableServicesResponse', { services }) };
      }),
      route('GET', '/v1/projects/{project}/services:batchGet', (call) => {
        permitted(world, call, 'get');
        const ids = call.query.getAll('names').map((name) => name.split('/').at(-1) ?? '');
        return { json: { services: ids.map((id) => states.render(project(world, call), id)) } };
      }),
      route('POST', '/v1beta1/projects/{project}/services/{service}:generateServiceIdentity', (call) => generateIdentity(world, call)),
      // Every operation is answered as done, so there is nothing to remember about it.
      route('GET', '/v1/operations/{operation}', (call) => ({
        json: { name: `operations/${param(call, 'operation')}`, done: true, response: {} },
      })),
    ],
    // The switches are everybody's, and are reset by who made them.
    reset: () => undefined,
  };
}

class States {
  constructor(
    private readonly world: World,
    private readonly switches: Switches,
  ) {}

  set(projectId: string, service: string, state: 'ENABLED' | 'DISABLED'): JsonObject {
    this.switches.set(projectId, requireServiceName(service), state === 'ENABLED');
    return this.render(projectId, service);
  }

  /** What a listing shows: the APIs that the emulator serves, and what was switched besides. */
  names(projectId: string): string[] {
    return [...new Set([...Object.keys(SERVED), ...this.switches.named(projectId)])].sort();
  }

  render(projectId: string, service: string): JsonObject {
    requireServiceName(service);
    const parent = `projects/${this.world.projectNumber(projectId)}`;
    const state = this.switches.isOn(projectId, service) ? 'ENABLED' : 'DISABLED';
    return { name: `${parent}/services/${service}`, parent, config: { name: service, title: SERVED[service] ?? service }, state };
  }
}

const project = (world: World, call: Call) => world.projectId(param(call, 'project'));

function permitted(world: World, call: Call, verb: string): void {
  world.iam.require(call, `serviceusage.services.${verb}`, `projects/${project(world, call)}`);
}

function switchOne(world: World, states: States, state: 'ENABLED' | 'DISABLED'): Handler {
  const verb = state === 'ENABLED' ? 'enable' : 'disable';
  return (call) => {
    permitted(world, call, verb);
    const service = states.set(project(world, call), param(call, 'service'), state);
    const type = state === 'ENABLED' ? 'v1.EnableServiceResponse' : 'v1.DisableServiceResponse';
    return { json: done(`${verb}.${world.projectNumber(project(world, call))}`, type, { service }) };
  };
}

function listServices(states: States, projectId: string, call: Call): JsonObject {
  const filter = call.query.get('filter') ?? '';
  const wanted = /^\s*state\s*[:=]\s*"?(ENABLED|DISABLED)"?\s*$/.exec(filter)?.[1];
  if (filter !== '' && wanted === undefined)
    throw new ApiError('INVALID_ARGUMENT', `Invalid filter: ${filter}. The allowed filters are state:ENABLED and state:DISABLED.`);
  const services = states
    .names(projectId)
    .map((name) => states.render(projectId, name))
    .filter(({ state }) => wanted === undefined || state === wanted);
  return pageOf(services, call.query, { member: 'services', show: (service) => service, limits: { fallback: 50, most: 200 } });
}

function generateIdentity(world: World, call: Call) {
  permitted(world, call, 'enable');
  const service = requireServiceName(param(call, 'service'));
  const short = service.split('.', 1)[0] ?? '';
  const number = world.projectNumber(project(world, call));
  const email = `service-${number}@${AGENT_DOMAINS[short] ?? `gcp-sa-${short}`}.iam.gserviceaccount.com`;
  return { json: done(`identity.${number}`, 'v1beta1.ServiceIdentity', { email, uniqueId: `1${number}00000000` }) };
}

function requireServiceName(service: string): string {
  if (!/^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+$/.test(service)) throw new ApiError('INVALID_ARGUMENT', `Invalid service name: ${service}`);
  return service;
}

function done(id: string, type: string, response: JsonObject): JsonObject {
  return {
    name: `operations/${id}`,
    done: true,
    response: { '@type': `type.googleapis.com/google.api.serviceusage.${type}`, ...response },
  };
}
