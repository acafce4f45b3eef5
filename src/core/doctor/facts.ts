// SPDX-License-Identifier: Apache-2.0
// What doctor has found out before it judges anything. Whatever could not be read is kept as the error that it was.
import type { Attestor } from '../attestation/attestor.js';
import type { CloudRunState, Enforcement } from '../deployment/enforcement.js';
import type { ClusterRef, Platform, TargetRef } from '../deployment/target.js';
import type { BinauthzError } from '../errors.js';
import type { Digest } from '../image/digest.js';
import type { ResolvedImage } from '../image/platform.js';
import type { ImageReference } from '../image/reference.js';
import type { AttestorName, KeyName, KeyVersionName, NoteName, ProjectId } from '../names.js';
import type { Evaluation } from '../policy/context.js';
import type { Policy } from '../policy/policy.js';
import type { IamPolicy } from '../provisioning/grants.js';
import type { GivenKey, KeySource } from '../signing/given-key.js';
import type { ExplainedAttestation } from './explain.js';
import type { Eyes } from './findings.js';

/** Something that was read, or why it was not. */
export type Fact<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: BinauthzError };

/** What was asked about. */
export interface Question {
  readonly eyes: Eyes;
  /** The project whose policy is enforced. */
  readonly project: ProjectId;
  /** Where attestations are stored; each attestor's own project unless given. */
  readonly attestationProject?: ProjectId;
  /** Those that were named, else those that the policy requires. */
  readonly attestors: readonly AttestorName[];
  readonly keys: readonly KeySource[];
  readonly platform: Platform;
  /** Where the images run, as far as it was named. */
  readonly target?: TargetRef;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Who runs this, as IAM names it: `serviceAccount:EMAIL`. */
  readonly signer?: string;
}

/** A resource's IAM policy; undefined where the resource does not exist. */
export interface ReadIamPolicy {
  readonly resource: string;
  readonly policy: Fact<IamPolicy | undefined>;
}

/** The permissions on a resource that the identity of this run was found to lack. */
export interface TestedResource {
  readonly resource: string;
  readonly missing: Fact<readonly string[]>;
}

/** A key that an attestor lists, and with which nothing verifies, whatever it signed: revoked, expired, or none that signs. */
export interface DeadKey {
  /** As the attestor lists it. */
  readonly id: string;
  readonly why: string;
}

/** An attestor, its note, and who may do what with them. */
export interface AttestorFacts {
  readonly name: AttestorName;
  readonly attestor: Fact<Attestor>;
  /** Only where it lists such keys. */
  readonly deadKeys?: readonly DeadKey[];
  /** The attestor's note, or of an unread attestor the one that its name suggests. Undefined where there is none. */
  readonly note: { readonly name: NoteName; readonly found: Fact<{ readonly isAttestation: boolean } | undefined> };
  readonly tested: readonly TestedResource[];
  /** The IAM policies that may let the attestor's account read the note. */
  readonly noteAccess: readonly ReadIamPolicy[];
  /** Where the attestor lies in another project than the policy: the account that asks it, and the policies that may let it. */
  readonly deployer?: { readonly member: Fact<string>; readonly access: readonly ReadIamPolicy[] };
}

/** A version of a Cloud KMS key, and its state: Cloud KMS enum name. */
export interface VersionState {
  readonly version: KeyVersionName;
  readonly state: string;
}

/** A key that was given. */
export interface KeyFacts {
  readonly source: KeySource;
  readonly opened: Fact<GivenKey>;
  /** Only of a Cloud KMS key. */
  readonly kms?: {
    readonly key: KeyName;
    readonly tested: TestedResource;
    /** Of a named version, where it could not be opened: Cloud KMS enum name. */
    readonly state?: Fact<string>;
    /** Where no version was named and none is enabled: those that there are, the newest first. */
    readonly versions?: Fact<readonly VersionState[]>;
    /** Whether the key exists, where it could not be opened. */
    readonly exists?: Fact<boolean>;
    readonly ringExists?: Fact<boolean>;
  };
}

/** What hangs on an attestor's note, and beside it, for one digest. */
export interface AttestationFacts {
  readonly attestor: Attestor;
  readonly digest: Digest;
  readonly isVerified: boolean;
  readonly rejected: readonly ExplainedAttestation[];
  /** Of the same digest, under other notes. */
  readonly elsewhere: readonly { readonly occurrence: string; readonly note: NoteName }[];
  /** The index that the digest is, or is an image of, where one is known. */
  readonly index?: Digest;
  /** Of the other digests of that index: which of them are attested; its own comes first. */
  readonly siblings: readonly { readonly digest: Digest; readonly what: 'index' | 'child' }[];
}

/** An image, what check says of it, and its attestations for each attestor. */
export interface ImageFacts {
  readonly asked: ImageReference;
  readonly resolved: Fact<ResolvedImage>;
  /** Absent where nothing could be evaluated. */
  readonly evaluation?: Evaluation;
  /** What was taken for granted on the way to the evaluation. */
  readonly assumptions: readonly string[];
  readonly attestations: readonly Fact<AttestationFacts>[];
}

/** Whether a place asks the policy; of a service or job also how it is set. */
export interface TargetState {
  readonly enforcement: Enforcement;
  readonly cloudRun?: CloudRunState;
}

/** The place that images are deployed to. */
export interface TargetFacts {
  readonly ref: TargetRef;
  readonly state: Fact<TargetState>;
  /** Only where it could not be read. */
  readonly tested?: TestedResource;
}

/** Everything that was found out. */
export interface DoctorFacts {
  readonly question: Question;
  /** Which of the APIs that are called in a project are off. */
  readonly services: readonly { readonly project: ProjectId; readonly off: Fact<readonly string[]> }[];
  readonly tested: readonly TestedResource[];
  readonly attestors: readonly AttestorFacts[];
  /** Attestors that only the policy names. */
  readonly others: readonly Pick<AttestorFacts, 'name' | 'attestor' | 'deadKeys'>[];
  readonly keys: readonly KeyFacts[];
  readonly policy: Fact<Policy>;
  readonly target?: TargetFacts;
  readonly images: readonly ImageFacts[];
}

/** The values of those that were read. */
export function known<Value>(facts: readonly Fact<Value>[]): readonly Value[] {
  return facts.flatMap((fact) => (fact.ok ? [fact.value] : []));
}

/** The cluster, where that is what was named: the only place with rules of its own. */
export function clusterOf(target: TargetRef | undefined): ClusterRef | undefined {
  return target?.kind === 'cluster' ? target : undefined;
}
