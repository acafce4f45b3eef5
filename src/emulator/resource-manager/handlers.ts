// SPDX-License-Identifier: Apache-2.0
// Cloud Resource Manager: a project's id and number in both directions, and the IAM policy of a project.
import { iamRoutes } from '../iam.js';
import { param, route, type Call, type Route } from '../router.js';
import type { World } from '../world.js';

/** No project was ever created here, so all of them have the same date. */
const CREATED = '2024-01-01T00:00:00Z';

/** Cloud Resource Manager v1 and v3; every project exists. */
export function createResourceManager(world: World): { readonly routes: readonly Route[]; reset(): void } {
  const projectId = (call: Call) => world.projectId(param(call, 'project'));
  const permitted = (call: Call) => world.iam.require(call, 'resourcemanager.projects.get', `projects/${projectId(call)}`);
  return {
    routes: [
      route('GET', '/v1/projects/{project}', (call) => {
        permitted(call);
        const id = projectId(call);
        return { json: { projectNumber: world.projectNumber(id), projectId: id, lifecycleState: 'ACTIVE', name: id, createTime: CREATED } };
      }),
      route('GET', '/v3/projects/{project}', (call) => {
        permitted(call);
        const id = projectId(call);
        return {
          json: {
            name: `projects/${world.projectNumber(id)}`,
            projectId: id,
            state: 'ACTIVE',
            displayName: id,
            createTime: CREATED,
            updateTime: CREATED,
          },
        };
      }),
      ...iamRoutes(world.iam, {
        template: '/{version=v1|v3}/projects/{project}',
        resource: (call) => `projects/${projectId(call)}`,
        exists: () => undefined,
        permissions: { get: 'resourcemanager.projects.getIamPolicy', set: 'resourcemanager.projects.setIamPolicy' },
      }),
    ],
    reset: () => undefined,
  };
}
