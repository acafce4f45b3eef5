// SPDX-License-Identifier: Apache-2.0
import type { AttestorKey } from '../core/signing/public-key.js';
import type { BinauthzError } from '../core/errors.js';
import { projectOf, type KeyName, type ProjectId } from '../core/names.js';
import type { PlanResult } from '../core/operation-results.js';
import { servedBy, servicesOf, type Desired } from '../core/provisioning/desired.js';
import { notesOn } from '../core/provisioning/notes-on-desired.js';
import { grantsFor } from '../core/provisioning/resources.js';
import { reportOf } from '../core/results.js';
import type { Outcome } from './outcome.js';
import { Walk, type Patiently } from './steps/ensure.js';
import { untilSettled } from './steps/settling.js';
import {
  attestorGoal,
  grantsGoal,
  keyGoal,
  keyRingGoal,
  needsAgents,
  noteGoal,
  policyGoal,
  servicesGoal,
  type SetupPorts,
  type Site,
} from './steps/setup-goals.js';
import { warnOfSharedKeys } from './steps/warn-of-shared-keys.js';
import { watchAdmissions } from './steps/watch-admissions.js';

export type { SetupPorts } from './steps/setup-goals.js';

/** `binauthz setup`: what is to be so, and whether to make it so. */
export interface SetupRequest {
  readonly desired: Desired;
  readonly apply: boolean;
}

/** An API that was switched on, by this run or by one just before it, may refuse calls for a few minutes more. */
const SERVICE_PATIENCE_MS = { planning: 60_000, applying: 180_000 };
const DONE: Promise<unknown> = Promise.resolve();

/**
 * Plans everything that Binary Authorization needs once, and with `apply` makes it. Nothing is written unless the whole
 * plan could be made and nothing in it is refused; a run that ended half-way is gone on with by the next.
 */
export async function setup({ desired, apply }: SetupRequest, ports: SetupPorts): Promise<Outcome<PlanResult>> {
  ports.reporter.step('Reading what is there');
  const plan = new Walk(undefined, untilOn(ports, SERVICE_PATIENCE_MS.planning));
  await provision(desired, plan, ports);
  for (const warning of [...notesOn(desired), ...plan.warnings]) ports.reporter.warn(warning);
  if (!apply || plan.errors.length > 0) return outcomeOf(plan, false);
  if (plan.changes.every(({ action }) => action === 'none')) return outcomeOf(plan, true);
  ports.reporter.step('Making what is missing');
  const work = new Walk(plan, untilOn(ports, SERVICE_PATIENCE_MS.applying));
  await provision(desired, work, ports);
  return outcomeOf(work, work.errors.length === 0);
}

// Service Usage is asked first, and what it calls off is not called: whatever still answers so is about to be on.
function untilOn(ports: SetupPorts, patienceMs: number): Patiently {
  const isLate = ({ disabledApi }: BinauthzError): boolean => disabledApi !== undefined && disabledApi !== 'serviceusage.googleapis.com';
  return (step) => untilSettled(step, isLate, { ...ports, patienceMs });
}

function outcomeOf(walk: Walk, applied: boolean): Outcome<PlanResult> {
  const { changes, errors } = walk;
  // Whatever was not done must have a reason, or the run would end well.
  if (errors.length === 0 && changes.some(({ status }) => status === 'skipped')) throw new Error('a step was skipped, and none failed');
  const reports = errors.length === 0 ? {} : { errors: errors.map(reportOf) };
  return { result: { schema: 'binauthz.plan/v1', applied, changes, ...reports }, errors };
}

// Every step is set at once, in the order of the plan, and begins when those are over that it needs.
async function provision(desired: Desired, walk: Walk, ports: SetupPorts): Promise<void> {
  const services = new Map<ProjectId, Promise<readonly string[]>>();
  for (const [project, wanted] of servicesOf(desired)) services.set(project, walk.ensure(servicesGoal(ports, project, wanted), []));
  const on = (project: ProjectId): readonly Promise<unknown>[] => [services.get(project) ?? DONE];
  const site: Site = { desired, ports, services, isApplying: walk.isApplying };

  const note = walk.ensure(noteGoal(site), on(projectOf(desired.note)));
  const key = ensureKey(site, walk, on);
  const made = walk.ensure(attestorGoal(site, key), [...on(projectOf(desired.attestor)), note, key]);
  const attestor = made.then((found) => found.attestor);
  const needs: Readonly<Record<string, Promise<unknown>>> = { [desired.note]: note, [keyName(desired)]: key, [desired.attestor]: attestor };
  const grants = grantsFor(desired, { attestor: '', deployer: '' }).map(({ resource }) => {
    const agents = needsAgents(desired, resource) ? [attestor] : [];
    return walk.ensure(grantsGoal(site, resource, attestor), [...on(servedBy(resource).project), needs[resource] ?? DONE, ...agents]);
  });
  // Enforcement comes last: before, nothing could be attested that it asks for.
  const policy = walk.ensure(policyGoal(site), [...on(desired.project), attestor, ...grants]);
  const watched = watchAdmissions(site, walk, on(desired.project));
  const warned = walk.isApplying
    ? DONE
    : Promise.all([key, attestor]).then(([entries = []]) => warnOfSharedKeys(desired.attestor, entries, ports));
  // What failed is in the walk; here everything only has to be over.
  await Promise.allSettled([...services.values(), note, key, attestor, ...grants, policy, ...watched, warned]);
}

function ensureKey(
  site: Site,
  walk: Walk,
  on: (project: ProjectId) => readonly Promise<unknown>[],
): Promise<readonly AttestorKey[] | undefined> {
  const { key } = site.desired;
  if (key.kind === 'pgp') return Promise.resolve([{ kind: 'pgp', id: key.fingerprint, armored: key.armored }]);
  const ring = walk.ensure(keyRingGoal(site, key.key), on(projectOf(key.key)));
  return walk.ensure(keyGoal(site, key.key), [ring]);
}

function keyName({ key }: Desired): KeyName | '' {
  return key.kind === 'kms' ? key.key : '';
}
