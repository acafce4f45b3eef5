// SPDX-License-Identifier: Apache-2.0
// Where doctor is asked to look: one cluster, Cloud Run service or Cloud Run job, and what that says about the platform.
import { parseCloudRunRef, type CloudRunRef, type Platform, type TargetRef } from '../../../core/deployment/target.js';
import { inputError } from '../../issues.js';
import type { OptionReader, Parser } from '../../option-reader.js';
import { readPlace, type PlaceSettings } from '../check/settings.js';

/** The place, as far as one was named. */
export interface Where extends Omit<PlaceSettings, 'platform' | 'cluster'> {
  readonly platform: Platform;
  readonly target?: TargetRef;
}

const ON_GKE = ['cluster', 'namespace', 'service-account'] as const;
const ON_CLOUD_RUN = ['cloud-run-service', 'cloud-run-job'] as const;

/** Reads where the images would run; what is wrong with it is noted with the reader. */
export function readWhere(reader: OptionReader): Where {
  const { platform, cluster, ...place } = readPlace(reader);
  const service = reader.one('cloud-run-service', parserOf('service'));
  const job = reader.one('cloud-run-job', parserOf('job'));
  refuseSeveral(reader, platform);
  const target: TargetRef | undefined = service ?? job ?? (cluster && { kind: 'cluster', ...cluster });
  return {
    ...place,
    platform: service || job ? 'cloud-run' : (platform ?? 'gke'),
    ...(target === undefined ? {} : { target }),
  };
}

// What runs on Cloud Run has no place on GKE, and a run looks at one place.
function refuseSeveral(reader: OptionReader, platform: Platform | undefined): void {
  const [named, ...others] = ON_CLOUD_RUN.filter((name) => reader.has(name));
  if (named === undefined) return;
  const spelt = reader.spell(named);
  for (const name of [...others, ...ON_GKE.filter((option) => reader.has(option))])
    reader.issues.push(inputError(`${spelt} and ${reader.spell(name)}: expected one of the two, got both`));
  if (platform === 'gke') reader.issues.push(inputError(`${spelt} and ${reader.spell('platform')}: expected cloud-run beside it, got gke`));
}

function parserOf(kind: CloudRunRef['kind']): Parser<CloudRunRef> {
  return (text) => {
    const value = parseCloudRunRef(kind, text);
    if (value) return { value };
    const [, region, name] = /^projects\/[^/]+\/locations\/([^/]+)\/(?:services|jobs)\/([^/]+)$/.exec(text) ?? [];
    const hint = region === undefined || name === undefined ? {} : { hint: `write ${region}.${name}` };
    return { expected: 'REGION.NAME, such as europe-west1.web', ...hint };
  };
}
