// SPDX-License-Identifier: Apache-2.0
import type { Pace } from '../core/retry.js';

/** Time and chance of a run. Its `sleep` rejects with CANCELLED once the run is cancelled. */
export type Clock = Pace;
