// SPDX-License-Identifier: Apache-2.0
import type { ImageUse } from './image-use.js';

/** Where in a cluster a Pod runs, with what was filled in for it. */
export interface Place {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** What neither the manifest nor an option says: Kubernetes fills in `default`, unless somebody deploys it elsewhere. */
  readonly assumed: readonly ('namespace' | 'serviceAccount')[];
}

/** The options fill what the manifest leaves out; what is still open is `default`, as in Kubernetes. */
export function placeOf(
  use: Pick<ImageUse, 'namespace' | 'serviceAccount'>,
  fill: { readonly namespace?: string | undefined; readonly serviceAccount?: string | undefined } = {},
): Place {
  const namespace = use.namespace || fill.namespace;
  const serviceAccount = use.serviceAccount || fill.serviceAccount;
  return {
    namespace: namespace || 'default',
    serviceAccount: serviceAccount || 'default',
    assumed: [...(namespace ? [] : (['namespace'] as const)), ...(serviceAccount ? [] : (['serviceAccount'] as const))],
  };
}
