// SPDX-License-Identifier: Apache-2.0
import type { DoctorResult } from '../../../core/operation-results.js';
import { doctor } from '../../../usecases/doctor.js';
import type { Outcome } from '../../../usecases/outcome.js';
import { runWith } from '../../compose.js';
import type { RunContext } from '../../context.js';
import type { ParsedDoctor } from './parse.js';

/** Runs `doctor`. */
export function runDoctor({ common, request }: ParsedDoctor, context: RunContext): Promise<Outcome<DoctorResult>> {
  return runWith(common, context, (ports) => doctor(request, ports));
}
