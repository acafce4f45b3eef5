// SPDX-License-Identifier: Apache-2.0
import { refusalOf } from '../../../core/doctor/diagnose.js';
import type { Refuse } from '../../outcome.js';

/** Refuses what keeps attest or check from succeeding, with the code with which they would end; warnings pass. */
export const refuseUnsound: Refuse = (result) => (result.schema === 'binauthz.doctor/v1' ? refusalOf(result.findings) : undefined);
