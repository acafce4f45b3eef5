// SPDX-License-Identifier: Apache-2.0
import type { Attestor } from '../core/attestation/attestor.js';
import { BinauthzErrors, type BinauthzError } from '../core/errors.js';
import type { Digest } from '../core/image/digest.js';
import type { PlannedChange, PlanResult } from '../core/operation-results.js';
import { reportOf } from '../core/results.js';
import { addKeyCommand } from '../core/rotation/commands.js';
import { behind, dependentsOn, type Coverage } from '../core/rotation/coverage.js';
import type { NewKey } from '../core/rotation/new-key.js';
import { isInShard } from '../core/rotation/shard.js';
import type { Task } from '../core/rotation/work.js';
import { isTrustedAs, type AttestorKey } from '../core/signing/public-key.js';
import type { AttestorKeys } from '../ports/attestor-keys.js';
import type { Outcome } from './outcome.js';
import type { RotateRequest } from './requests.js';
import { attestAnew, type AnewPorts } from './steps/attest-anew.js';
import { errorsOf, settle } from './steps/concurrently.js';
import { gatherImages, type Gathered, type GatherPorts } from './steps/gather-images.js';
import { namePlatforms } from './steps/name-platforms.js';
import { planImages, planNote, type RotationPlan } from './steps/plan-rotation.js';
import { findRetiring, retire, type Retired, type Retiring } from './steps/retire-key.js';
import { dependentRows, imageRows, type Done } from './steps/rotation-rows.js';
import { NoteSurvey } from './steps/survey-note.js';
import { warnOfSharedKeys } from './steps/warn-of-shared-keys.js';

export interface RotatePorts extends GatherPorts, AnewPorts {
  readonly attestorKeys: AttestorKeys;
  /** Opens the key that is rotated to; called once, while the attestor is read. */
  readonly openNewKey: () => Promise<NewKey>;
}

/**
 * Moves an attestor to another key: has it trust the new one beside the old, attests with it whatever verifies today,
 * tells what still depends on other keys, and retires the old one only where nothing does. Without `apply` it only says so.
 */
export async function rotate(request: RotateRequest, ports: RotatePorts): Promise<Outcome<PlanResult>> {
  const run = new RotateRun(request, ports);
  const opened = await settle(run.open());
  if (!opened.ok) return outcome(request, {}, opened.errors);

  const { start, gathered, plan } = opened.value;
  const asked = [...gathered.errors, ...gathered.unknown.flatMap(({ errors }) => errors), ...plan.errors];
  // Where all that was asked for failed, the key is not worth adding either.
  if (asked.length > 0 && !plan.tasks.some(isAttested))
    return outcome(request, { images: imageRows(plan.tasks, gathered.unknown, new Map()) }, asked);
  const staged = await run.stage(start);
  if (!staged.attestor) {
    const images = imageRows(plan.tasks, gathered.unknown, new Map());
    return outcome(request, { changes: [staged.change], images }, [...asked, ...staged.errors]);
  }

  const done = await run.attest(plan.tasks, staged.attestor, start.newKey);
  const images = imageRows(plan.tasks, gathered.unknown, done);
  const ended = await settle(run.end(start, staged.attestor, plan.tasks));
  const failures = [...asked, ...failuresOf(done)];
  if (!ended.ok) return outcome(request, { changes: [staged.change], images }, [...failures, ...ended.errors]);
  const { retired, dependents } = ended.value;
  return outcome(request, { changes: [staged.change, ...retired.changes], images, dependents }, [...failures, ...retired.errors]);
}

/** What a run begins with: the attestor as it was before, and everything under its note. */
interface Start {
  readonly before: Attestor;
  readonly newKey: NewKey;
  readonly survey: NoteSurvey;
  readonly retiring?: Retiring;
}

interface Opened {
  readonly start: Start;
  readonly gathered: Gathered;
  readonly plan: RotationPlan;
}

interface Staged {
  readonly change: PlannedChange;
  /** With the new key, or as it would be; undefined where the key could not be added. */
  readonly attestor?: Attestor;
  readonly errors: readonly BinauthzError[];
}

class RotateRun {
  constructor(
    private readonly request: RotateRequest,
    private readonly ports: RotatePorts,
  ) {}

  async open(): Promise<Opened> {
    const { request, ports } = this;
    ports.reporter.step(`Reading ${request.attestor} and what is attested by it`);
    const [attestor, newKey, gathered] = await Promise.all([
      settle(ports.attestors.attestor(request.attestor)),
      settle(ports.openNewKey()),
      gatherImages(request, ports),
    ]);
    if (!attestor.ok || !newKey.ok) throw together([...errorsOf([attestor]), ...errorsOf([newKey])]);
    const survey = await NoteSurvey.of(attestor.value, ports);
    const start: Start = { before: attestor.value, newKey: newKey.value, survey, ...this.retiringOf(attestor.value, newKey.value, survey) };
    return { start, gathered, plan: await this.plan(start, gathered) };
  }

  /** Has the attestor trust the new key as well. */
  async stage({ before, newKey }: Start): Promise<Staged> {
    const { request, ports } = this;
    const resource = before.name;
    const listed = entryFor(before, newKey);
    if (listed) {
      const change = { resource, action: 'none', status: 'done', summary: `${listed.id} is trusted already`, gcloud: '' } as const;
      return { change, attestor: before, errors: [] };
    }
    const { entry } = newKey;
    await warnOfSharedKeys(resource, [entry], ports);
    const planned: PlannedChange = {
      ...{ resource, action: 'update', status: 'planned', summary: `trust ${entry.id} beside what is trusted already` },
      gcloud: addKeyCommand(resource, newKey),
    };
    if (!request.apply) return { change: planned, attestor: { ...before, keys: [...before.keys, entry] }, errors: [] };
    ports.reporter.step(`Having ${resource} trust ${entry.id}`);
    const added = await settle(ports.attestorKeys.add(resource, entry));
    if (added.ok) return { change: { ...planned, status: 'done' }, attestor: added.value, errors: [] };
    const [error] = added.errors;
    return { change: { ...planned, status: 'failed', ...(error ? { error: reportOf(error) } : {}) }, errors: added.errors };
  }

  /** Attests with the new key alone what verifies under another. */
  async attest(tasks: readonly Task[], attestor: Attestor, newKey: NewKey): Promise<Done> {
    const { request, ports } = this;
    const work = tasks.flatMap(({ digest, decision }) => (decision.kind === 'attest' ? [{ digest, image: decision.image }] : []));
    if (tasks.length === 0) ports.reporter.warn(`no image ${request.shard ? 'of this shard ' : ''}is attested by ${attestor.name}`);
    const attestorKey = entryFor(attestor, newKey);
    if (!request.apply || work.length === 0 || !attestorKey) return new Map();
    ports.reporter.step(`Attesting ${work.length} of ${tasks.length} digests with ${attestorKey.id}`);
    const { signer, publicKey } = newKey;
    const pair = { attestor: { ...attestor, keys: [attestorKey] }, signer, publicKey, attestorKey };
    const { project, waitTimeoutMs, shard } = request;
    const options = { pair, waitTimeoutMs, runs: shard?.total ?? 1, ...(project === undefined ? {} : { project }) };
    const images = work.map(({ image }) => image);
    const settled = await attestAnew(images, options, ports);
    return new Map(work.flatMap(({ digest }, index) => (settled[index] ? [[digest, settled[index]] as const] : [])));
  }

  /** Looks at the note again, tells what depends on other keys, and retires the old one where nothing depends on it. */
  async end(
    { newKey, survey, retiring }: Start,
    attestor: Attestor,
    tasks: readonly Task[],
  ): Promise<{ readonly retired: Retired; readonly dependents: NonNullable<PlanResult['dependents']> }> {
    const { request, ports } = this;
    const now = request.apply ? await NoteSurvey.of(attestor, ports) : survey;
    const attested = await now.coverages((digest) => isInShard(digest, request.shard));
    // In a plan, what would be attested counts as done.
    const planned = new Set(request.apply ? [] : tasks.flatMap(({ digest, decision }) => (decision.kind === 'attest' ? [digest] : [])));
    const left = attested.filter(({ digest }) => !planned.has(digest));
    const dependents = behind(entryFor(attestor, newKey)?.id ?? newKey.entry.id, left);
    const platforms = dependents.length === 0 ? new Map<Digest, string>() : await namePlatforms(dependents, attested, ports);
    const retired = retiring ? await this.retire(retiring, attestor, { now, left }) : { changes: [], errors: [] };
    return { retired, dependents: dependentRows(dependents, platforms) };
  }

  private async retire(
    retiring: Retiring,
    attestor: Attestor,
    { now, left }: { readonly now: NoteSurvey; readonly left: readonly Coverage[] },
  ): Promise<Retired> {
    const { request, ports } = this;
    const { apply, retire: asked } = request;
    const needed = 'key' in retiring ? dependentsOn(retiring.key.id, left) : [];
    const unproven = 'key' in retiring ? await now.unproven(retiring.key.id) : [];
    return retire({ retiring, attestor, needed, unproven, apply, force: asked?.force === true }, ports);
  }

  private retiringOf(before: Attestor, newKey: NewKey, survey: NoteSurvey): { readonly retiring?: Retiring } {
    const { retire: asked } = this.request;
    return asked === undefined ? {} : { retiring: findRetiring(asked.keyId, before, newKey, survey) };
  }

  private plan({ before, newKey, survey }: Start, gathered: Gathered): Promise<RotationPlan> {
    const { images, used, repositories, shard, attestor } = this.request;
    const inputs = { attestor, survey, newKeyId: entryFor(before, newKey)?.id, shard };
    return images.length + used.length + repositories.length === 0 ? planNote(inputs) : planImages(gathered, inputs);
  }
}

function entryFor(attestor: Attestor, { publicKey }: NewKey): AttestorKey | undefined {
  return attestor.keys.find((listed) => isTrustedAs(publicKey, listed));
}

function isAttested({ decision }: Task): boolean {
  return decision.kind === 'attest' || decision.kind === 'existing';
}

function together(errors: readonly BinauthzError[]): Error {
  const [first, ...rest] = errors;
  return first ? new BinauthzErrors([first, ...rest]) : new Error('a failure without an error');
}

function failuresOf(done: Done): readonly BinauthzError[] {
  return [...done.values()].flatMap((entry) => (entry.ok ? (entry.value.unseen ?? []) : entry.errors));
}

function outcome(
  { apply }: RotateRequest,
  parts: Partial<Pick<PlanResult, 'changes' | 'images' | 'dependents'>>,
  errors: readonly BinauthzError[],
): Outcome<PlanResult> {
  const changes = parts.changes ?? [];
  const applied = apply && changes.length > 0 && errors.length === 0;
  const reports = errors.length > 0 ? { errors: errors.map(reportOf) } : {};
  return { result: { schema: 'binauthz.plan/v1', applied, ...parts, changes, ...reports }, errors };
}
