// SPDX-License-Identifier: Apache-2.0
// Container Analysis v1: notes and occurrences. Written from grafeas/v1/grafeas.proto.
import type { Route } from '../router.js';
import type { World } from '../world.js';
import { noteRoutes } from './notes.js';
import { occurrenceRoutes } from './occurrences.js';
import { ContainerAnalysisState, type Occurrence } from './state.js';

/** What other APIs may use of Container Analysis. */
export interface ContainerAnalysis {
  readonly routes: readonly Route[];
  reset(): void;
  /** The occurrences that a listing of a project, `projects/P`, shows now. */
  occurrencesIn(project: string): readonly Occurrence[];
}

/** A Container Analysis without any note: its routes, and the way back to that state. */
export function createContainerAnalysis(world: World): ContainerAnalysis {
  const state = new ContainerAnalysisState(world);
  return {
    routes: [...noteRoutes(world, state), ...occurrenceRoutes(world, state)],
    reset: () => {
      state.reset();
    },
    occurrencesIn: (project) => state.occurrencesIn(project),
  };
}
