// SPDX-License-Identifier: Apache-2.0
// Adds to an IAM policy without taking anything away: read, add, write with the etag; after a collision all over again.
import { asError, BinauthzError } from '../../core/errors.js';
import { missingGrants, withGrants, type Grant } from '../../core/provisioning/grants.js';
import { backoff } from '../../core/retry.js';
import type { IamPolicies } from '../../ports/provisioning.js';
import { untilSettled, type SettlingPorts } from './settling.js';

export interface GrantPorts extends SettlingPorts {
  readonly iam: IamPolicies;
}

/** What is to be granted, and how the one member can be had that may not exist yet. */
export interface Granting {
  readonly resource: string;
  readonly grants: readonly Grant[];
  readonly agent?: { readonly member: string; readonly make: () => Promise<void> };
}

const COLLISIONS = { most: 8, firstMs: 200, longestMs: 4_000 };
/** New accounts take up to a minute to be known to IAM. */
const PATIENCE_MS = 90_000;

/** Gives the roles. CHANGED_MEANWHILE where others change the policy without end, PRINCIPAL_NOT_FOUND, NOT_FOUND. */
export async function grantRoles(granting: Granting, ports: GrantPorts): Promise<void> {
  const { agent } = granting;
  const isLate = (error: BinauthzError): boolean => isUnknownMember(error) && !namesAnother(error, granting);
  try {
    await addToPolicy(granting, ports);
  } catch (error) {
    if (!agent || !isLate(asError(error))) throw error;
    await agent.make();
    await untilSettled(() => addToPolicy(granting, ports), isLate, { ...ports, patienceMs: PATIENCE_MS });
  }
}

// Google names whom it does not know; nobody makes a signer, however long it is waited for.
function namesAnother({ message }: BinauthzError, { grants, agent }: Granting): boolean {
  const others = grants.filter(({ member }) => member !== agent?.member).map(({ member }) => member.slice(member.indexOf(':') + 1));
  return others.some((address) => message.toLowerCase().includes(address.toLowerCase()));
}

async function addToPolicy({ resource, grants }: Granting, { iam, clock }: GrantPorts): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const policy = await iam.read(resource);
    if (!policy) throw new BinauthzError('NOT_FOUND', `cannot change the IAM policy of ${resource}: it does not exist`, { resource });
    if (missingGrants(policy, grants).length === 0) return;
    try {
      return await iam.write(resource, withGrants(policy, grants));
    } catch (error) {
      if (asError(error).code !== 'CHANGED_MEANWHILE' || attempt === COLLISIONS.most) throw error;
      await clock.sleep(backoff(attempt, clock.random(), COLLISIONS));
    }
  }
}

function isUnknownMember({ code }: BinauthzError): boolean {
  return code === 'PRINCIPAL_NOT_FOUND';
}
