// SPDX-License-Identifier: Apache-2.0
import * as core from '@actions/core';
import type { Reporter } from '../../ports/reporter.js';
import { logLine } from '../log-line.js';

/** The runner keeps ten warnings of a step; more of them are only said in the log. */
const MOST_WARNINGS = 9;

/** Says what goes on in the step's log; warnings become annotations as long as there is room. */
export function createReporter(): Reporter {
  let warnings = 0;
  return {
    step: (message) => core.info(logLine(message)),
    info: (message) => core.info(logLine(`  ${message}`)),
    warn: (message) => {
      warnings += 1;
      if (warnings <= MOST_WARNINGS) core.warning(message, { title: 'binauthz' });
      else core.info(logLine(`warning: ${message}`));
    },
    debug: (message) => core.debug(message),
  };
}
