// SPDX-License-Identifier: Apache-2.0
// The kinds of places that images run in: how Google names each, and gcloud's commands for it.
import type { TargetRef } from '../deployment/target.js';
import type { ProjectId } from '../names.js';
import { shellLine } from '../provisioning/gcloud.js';
import type { Finding, FindingCode } from './findings.js';

/** A kind of place: how Google names it, and what is said of one. */
export interface TargetKind {
  readonly noun: string;
  /** Doctor's option for one. */
  readonly option: string;
  readonly api: string;
  readonly collection: string;
  /** gcloud's words for its kind, and for where it is. */
  readonly words: readonly string[];
  readonly location: '--location' | '--region';
  /** The flag that turns enforcement on. */
  readonly enforce: string;
  readonly missing: FindingCode;
  readonly open: FindingCode;
  readonly undecided: Pick<Finding, 'code' | 'error'>;
}

const CLOUD_RUN = {
  api: 'run.googleapis.com',
  location: '--region',
  enforce: '--binary-authorization=default',
  missing: 'CLOUD_RUN_MISSING',
  open: 'CLOUD_RUN_NOT_ENFORCING',
  undecided: { code: 'CLOUD_RUN_PLATFORM_POLICY' },
} as const;

/** What there is to know of each kind. */
export const TARGET_KINDS: Readonly<Record<TargetRef['kind'], TargetKind>> = {
  cluster: {
    noun: 'cluster',
    option: '--cluster',
    api: 'container.googleapis.com',
    collection: 'clusters',
    words: ['container', 'clusters'],
    location: '--location',
    enforce: '--binauthz-evaluation-mode=PROJECT_SINGLETON_POLICY_ENFORCE',
    missing: 'CLUSTER_MISSING',
    open: 'CLUSTER_NOT_ENFORCING',
    undecided: { code: 'NOT_CHECKED', error: 'UNDECIDED' },
  },
  service: { ...CLOUD_RUN, noun: 'Cloud Run service', option: '--cloud-run-service', collection: 'services', words: ['run', 'services'] },
  job: { ...CLOUD_RUN, noun: 'Cloud Run job', option: '--cloud-run-job', collection: 'jobs', words: ['run', 'jobs'] },
};

/** The full resource name of a place. */
export function resourceOf(project: ProjectId, { kind, location, name }: TargetRef): string {
  return `projects/${project}/locations/${location}/${TARGET_KINDS[kind].collection}/${name}`;
}

/** The API through which a place is read. */
export function apiOf({ kind }: TargetRef): string {
  return TARGET_KINDS[kind].api;
}

/** A place as messages name it: `cluster us-central1-a.prod`. */
export function nounOf({ kind, key }: TargetRef): string {
  return `${TARGET_KINDS[kind].noun} ${key}`;
}

/** Has a place ask the policy. */
export function enforce(project: ProjectId, { kind, name, location }: TargetRef): string {
  const { words, location: flag, enforce: on } = TARGET_KINDS[kind];
  return shellLine(['gcloud', ...words, 'update', name, `${flag}=${location}`, `--project=${project}`, on]);
}

/** Lists the places of a kind. */
export function listTargets(project: ProjectId, { kind }: TargetRef): string {
  return shellLine(['gcloud', ...TARGET_KINDS[kind].words, 'list', `--project=${project}`]);
}
