// SPDX-License-Identifier: Apache-2.0
import { list } from '../../../usecases/list.js';
import { runWith } from '../../compose.js';
import type { ListOutcome, RunContext } from '../../context.js';
import type { ParsedList } from './parse.js';

/** Runs `list`. */
export function runList(parsed: ParsedList, context: RunContext): Promise<ListOutcome> {
  return runWith(parsed.common, context, (ports) => list(parsed.request, ports));
}
