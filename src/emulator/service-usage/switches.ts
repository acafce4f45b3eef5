// SPDX-License-Identifier: Apache-2.0
// Which services each project has switched off, and what a call to one of them is answered.
import { param, type Route } from '../router.js';
import { ApiError, type JsonObject } from '../wire.js';
import type { World } from '../world.js';

/** The APIs that the emulator serves, by the name of their service. */
export const SERVED: Readonly<Record<string, string>> = {
  'artifactregistry.googleapis.com': 'Artifact Registry API',
  'binaryauthorization.googleapis.com': 'Binary Authorization API',
  'cloudkms.googleapis.com': 'Cloud Key Management Service (KMS) API',
  'cloudresourcemanager.googleapis.com': 'Cloud Resource Manager API',
  'container.googleapis.com': 'Kubernetes Engine API',
  'containeranalysis.googleapis.com': 'Container Analysis API',
  'containerscanning.googleapis.com': 'Container Scanning API',
  'logging.googleapis.com': 'Cloud Logging API',
  'monitoring.googleapis.com': 'Cloud Monitoring API',
  'run.googleapis.com': 'Cloud Run Admin API',
  'serviceusage.googleapis.com': 'Service Usage API',
};

/** Where people switch services. In two parts, because in this code base the word before the dot is Node's object. */
const CONSOLE = ['console', 'developers.google.com'].join('.');

/** The services that were switched, by project; every other one is on. */
export class Switches {
  /** By project and service: Infinity while it is off, else the time from which it is on again. */
  private readonly offUntil = new Map<string, Map<string, number>>();

  constructor(private readonly world: Pick<World, 'clock' | 'settings' | 'projectNumber'>) {}

  /** Switches a service; what was off answers as if it still were until the change has spread. */
  set(project: string, service: string, isOn: boolean): void {
    const services = this.offUntil.get(project) ?? new Map<string, number>();
    this.offUntil.set(project, services);
    if (!isOn) services.set(service, Infinity);
    else if (!this.isOn(project, service)) services.set(service, this.world.clock.now() + this.world.settings.propagationDelayMs);
    else if (!services.has(service)) services.set(service, 0);
  }

  /** The state that Service Usage tells. */
  isOn(project: string, service: string): boolean {
    return this.offUntil.get(project)?.get(service) !== Infinity;
  }

  /** The services of a project that were ever switched. */
  named(project: string): string[] {
    return [...(this.offUntil.get(project)?.keys() ?? [])];
  }

  /** Throws Google's 403 where a service is off, or not yet on again. */
  require(project: string, service: string): void {
    if ((this.offUntil.get(project)?.get(service) ?? 0) > this.world.clock.now())
      throw serviceDisabled(service, this.world.projectNumber(project));
  }

  reset(): void {
    this.offUntil.clear();
  }
}

/**
 * The routes of an API, each answering for a project only while its service is on there. It is asked before permissions
 * and existence are, as Google's front end does. Routes without a project in their path ask for themselves.
 */
export function gated(routes: readonly Route[], requireOn: (project: string) => void): Route[] {
  return routes.map((entry) => ({
    ...entry,
    handle: (call) => {
      if ('project' in call.params) requireOn(param(call, 'project'));
      return entry.handle(call);
    },
  }));
}

function serviceDisabled(service: string, number: string): ApiError {
  const title = SERVED[service] ?? service;
  const activationUrl = `https://${CONSOLE}/apis/api/${service}/overview?project=${number}`;
  const message =
    `${title} has not been used in project ${number} before or it is disabled. Enable it by visiting ${activationUrl} then retry. ` +
    'If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.';
  const details: JsonObject[] = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'SERVICE_DISABLED',
      domain: 'googleapis.com',
      metadata: { service, serviceTitle: title, consumer: `projects/${number}`, containerInfo: number, activationUrl },
    },
    { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'en-US', message },
    {
      '@type': 'type.googleapis.com/google.rpc.Help',
      links: [{ description: 'Google developers console API activation', url: activationUrl }],
    },
  ];
  return new ApiError('PERMISSION_DENIED', message, details);
}
