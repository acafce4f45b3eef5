// SPDX-License-Identifier: Apache-2.0
// The options of a check that need no file to be understood.
import { parseClusterRef, type ClusterRef, type Platform } from '../../../core/deployment/target.js';
import { PLATFORMS } from './options.js';
import { parseFileName, readReports } from '../../file-options.js';
import type { Gate } from './gate.js';
import { inputError } from '../../issues.js';
import type { OptionReader, Parser } from '../../option-reader.js';
import type { ReportTarget } from '../../report-target.js';

/** Where images would run. */
export interface PlaceSettings {
  /** Only where it was given: a platform that is given decides for some manifests too. */
  readonly platform?: Platform;
  readonly cluster?: ClusterRef;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

/** What the options of a check say, and which files they name. */
export interface CheckSettings extends PlaceSettings {
  readonly platformPolicies: readonly string[];
  readonly strict: boolean;
  readonly reports: readonly ReportTarget[];
  /** Files, folders, patterns and `-`. */
  readonly manifests: readonly string[];
  readonly imageLists: readonly string[];
  readonly policyFile?: string;
  readonly attestedFile?: string;
}

/** The options that attest has only for the check at its end. */
export const SETTINGS_OF_ATTEST = [
  'check-project',
  'manifest',
  'policy',
  'platform-policy',
  'platform',
  'cluster',
  'namespace',
  'service-account',
  'require-attested',
  'strict',
  'report',
] as const;

/** Reads where images would run; what is wrong with it is noted with the reader. */
export function readPlace(reader: OptionReader): PlaceSettings {
  // Checked by its kind elsewhere: here a wrong platform is only not given.
  const platform = reader.has('platform') ? reader.choice('platform', PLATFORMS) : undefined;
  const cluster = reader.one('cluster', parseCluster);
  const namespace = reader.one('namespace', parseNamespace);
  const serviceAccount = reader.one('service-account', parseServiceAccount);
  if (platform === 'cloud-run') refusePlaceOnGke(reader);
  return {
    ...(platform === undefined ? {} : { platform }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
  };
}

/** Reads the options of a check; what is wrong with them is noted with the reader. */
export function readCheckSettings(reader: OptionReader): CheckSettings {
  const place = readPlace(reader);
  const policyFile = reader.one('policy', parseFileName);
  const attestedFile = reader.one('require-attested', parseFileName);
  const settings: CheckSettings = {
    ...place,
    ...(policyFile === undefined ? {} : { policyFile }),
    ...(attestedFile === undefined ? {} : { attestedFile }),
    platformPolicies: reader.list('platform-policy', parsePlatformPolicy),
    strict: reader.flag('strict'),
    reports: readReports(reader),
    manifests: reader.list('manifest', parsePattern),
    imageLists: reader.command === 'check' && reader.host === 'cli' ? reader.list('image-list', parseFileName) : [],
  };
  refuseContradictions(reader, settings);
  return settings;
}

function refusePlaceOnGke(reader: OptionReader): void {
  for (const name of ['cluster', 'namespace', 'service-account'] as const)
    if (reader.has(name))
      reader.issues.push(
        inputError(`${reader.spell(name)} and ${reader.spell('platform')}: expected one of the two, got a place on GKE and cloud-run`),
      );
}

function refuseContradictions(reader: OptionReader, { platformPolicies, manifests }: CheckSettings): void {
  if (platformPolicies.length > 0 && manifests.length === 0) {
    reader.issues.push(
      inputError(`${reader.spell('platform-policy')}: expected ${reader.spell('manifest')} beside it, got none`, {
        hint: 'a platform policy is asked about the Kubernetes objects of manifests: name them, or leave the policy out',
      }),
    );
  }
}

const parseCluster: Parser<ClusterRef> = (text) => {
  const value = parseClusterRef(text);
  if (value) return { value };
  const hint = /^projects\/[^/]+\/(?:locations|zones)\/([^/]+)\/clusters\/([^/]+)$/.exec(text);
  return {
    expected: 'LOCATION.NAME, such as us-central1-a.prod',
    ...(hint ? { hint: `for that cluster write ${hint[1] ?? ''}.${hint[2] ?? ''}` } : {}),
  };
};

const parseNamespace: Parser<string> = (text) =>
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? { value: text } : { expected: 'the name of a Kubernetes namespace' };

const parseServiceAccount: Parser<string> = (text) => {
  if (/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return { value: text };
  const hint = text.includes('@')
    ? 'rules name the service account of the Pod, not the Google one that it acts as'
    : 'leave out what is before the colon: the namespace is an option of its own';
  return { expected: 'the name of a Kubernetes service account', ...(/[@:]/.test(text) ? { hint } : {}) };
};

const parsePlatformPolicy: Parser<string> = (text) =>
  /^projects\/[a-z0-9][a-z0-9.:-]*\/platforms\/gke\/policies\/[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)
    ? { value: text }
    : {
        expected: 'projects/P/platforms/gke/policies/X',
        ...(/^projects\/[^/]+\/platforms\/(?!gke\/)/.test(text) ? { hint: 'only policies of the platform gke can be evaluated' } : {}),
      };

const parsePattern: Parser<string> = (text) => (text === '' ? { expected: 'a file, a folder, a pattern or -' } : { value: text });

/** The gate that these settings make. */
export function gateOf({ strict }: CheckSettings, mode: Gate['mode']): Gate {
  return { mode, strict };
}
