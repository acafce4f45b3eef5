// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const CHECK: CommandRow = {
  name: 'check',
  usage: '[IMAGE...] [-f FILE]... [--image-list FILE]... --project P',
  summary: 'tell whether Binary Authorization would admit images, and what to do where it would not',
  details: [
    'IMAGE is taken exactly as a manifest would write it: GKE resolves no tags. Namespace and service account come from the manifest.',
    'Exit 0 if every image is admitted, 3 if one is denied, 4 if the verdict cannot be decided. No image at all is bad input, never a pass.',
  ],
  examples: [
    'binauthz check us-docker.pkg.dev/my-project/apps/web@sha256:… --project my-project --cluster us-central1-a.prod',
    'binauthz check -f k8s/ --project my-project --report sarif=binauthz.sarif',
    'kubectl kustomize overlays/prod | binauthz check -f - --project my-project',
    'helm template web ./chart | binauthz check -f - --project my-project --strict',
  ],
  takesImages: true,
};
