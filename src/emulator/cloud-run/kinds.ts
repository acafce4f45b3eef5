// SPDX-License-Identifier: Apache-2.0
// What Cloud Run runs: the three kinds of resource, their members, and where each keeps its containers.

/** One kind of resource. */
export interface Kind {
  /** The path's collection, `services`, which is also the list's member and the permissions' middle. */
  readonly collection: string;
  /** `Service`, as in google.cloud.run.v2.Service. */
  readonly type: string;
  /** The query parameter that names a new one. */
  readonly idParameter: string;
  /** Members of the message that are kept as sent; from gcloud 528's messages. */
  readonly kept: readonly string[];
  /** The members that lead to the object with `containers`. */
  readonly containersIn: readonly string[];
}

const COMMON = ['annotations', 'client', 'clientVersion', 'labels', 'launchStage', 'template'];

/** Services, jobs and worker pools. */
export const KINDS: readonly Kind[] = [
  {
    collection: 'services',
    type: 'Service',
    idParameter: 'serviceId',
    kept: [
      ...[...COMMON, 'buildConfig', 'customAudiences', 'defaultUriDisabled', 'description', 'iapEnabled', 'ingress'],
      ...['invokerIamDisabled', 'scaling', 'threatDetectionEnabled', 'traffic'],
    ],
    containersIn: ['template'],
  },
  {
    collection: 'jobs',
    type: 'Job',
    idParameter: 'jobId',
    kept: [...COMMON, 'runExecutionToken', 'startExecutionToken'],
    containersIn: ['template', 'template'],
  },
  {
    collection: 'workerPools',
    type: 'WorkerPool',
    idParameter: 'workerPoolId',
    kept: [...COMMON, 'customAudiences', 'description', 'instanceSplits', 'scaling'],
    containersIn: ['template'],
  },
];

/** Members that the service fills; what is sent for them is ignored, as for every output-only field. */
export const OUTPUT_MEMBERS: readonly string[] = [
  ...['name', 'uid', 'generation', 'createTime', 'updateTime', 'deleteTime', 'expireTime', 'creator', 'lastModifier', 'etag'],
  ...['observedGeneration', 'terminalCondition', 'conditions', 'reconciling', 'satisfiesPzs', 'latestReadyRevision', 'uri', 'urls'],
  ...['latestCreatedRevision', 'trafficStatuses', 'executionCount', 'latestCreatedExecution', 'instanceSplitStatuses'],
];
