// SPDX-License-Identifier: Apache-2.0
import type * as protos from '@google-cloud/grafeas/build/protos/protos.js';
import type { GrafeasClient } from '@google-cloud/grafeas/build/src/v1/grafeas_client.js';
import { BinauthzError } from '../core/errors.js';
import { pinnedName, type PinnedReference } from '../core/image/reference.js';
import { isWhole, type Finding, type Scan } from '../core/vulnerabilities/finding.js';
import { readOccurrence, SCAN_NOTE, type ReadOccurrence } from '../core/vulnerabilities/occurrence.js';
import type { VulnerabilityStore } from '../ports/vulnerability-store.js';
import { placeOf } from './artifact-places.js';
import type { Google } from './clients.js';
import { NOT_GOOGLE, type Call } from './errors.js';
import { allPages } from './pages.js';

type Occurrence = protos.grafeas.v1.IOccurrence;
type ReadScan = Extract<ReadOccurrence, { kind: 'scan' }>;

const PAGE_SIZE = 1000;

/** Vulnerabilities and scans through the Grafeas client library, from the project that holds the image. */
export function createVulnerabilityStore(google: Google): VulnerabilityStore {
  const client = google.lazyClient<GrafeasClient>(
    'containeranalysis',
    async () => (await import('@google-cloud/grafeas/build/src/v1/grafeas_client.js')).GrafeasClient,
  );
  const api: Api = { call: google.call, client };
  return {
    covers: (image) => placeOf(image) !== undefined,
    scan: async (image, deadline) => newestScan(await list(api, image, 'DISCOVERY', deadline), image),
    findings: async (image, deadline) => findingsIn(await list(api, image, 'VULNERABILITY', deadline)),
  };
}

interface Api extends Pick<Google, 'call'> {
  readonly client: () => Promise<GrafeasClient>;
}

async function list(
  api: Api,
  image: PinnedReference,
  kind: 'DISCOVERY' | 'VULNERABILITY',
  deadline: number | undefined,
): Promise<readonly ReadOccurrence[]> {
  const parent = `projects/${projectOf(image)}`;
  const call: Call = {
    what: `cannot list the ${kind === 'DISCOVERY' ? 'scans' : 'vulnerabilities'} of ${pinnedName(image)} in`,
    resource: parent,
    needs: [{ permission: 'containeranalysis.occurrences.list', role: 'roles/containeranalysis.occurrences.viewer', on: parent }],
    notFound: 'PROJECT_NOT_FOUND',
  };
  // By suffix, because the URI may come with `https://` and without. The filter's field is resourceUrl.
  const filter = `kind="${kind}" AND has_suffix(resourceUrl, "${image.digest}")`;
  const occurrences = await allPages(parent, (pageToken) =>
    api.call.repeat(
      call,
      async (options) => {
        const request = { parent, filter, pageSize: PAGE_SIZE, pageToken };
        const [items, , reply] = (await (await api.client()).listOccurrences(request, options)) as [
          Occurrence[],
          unknown,
          { nextPageToken?: string | null },
        ];
        return { items, nextPageToken: reply.nextPageToken };
      },
      deadline,
    ),
  );
  // The filter is the service's to apply: what is of another image is left out here, too.
  return occurrences
    .filter(({ resourceUri }) => resourceUri?.endsWith(`@${image.digest}`))
    .flatMap((occurrence) => readable(readOccurrence(occurrence), parent));
}

function readable(read: ReadOccurrence | undefined, resource: string): readonly ReadOccurrence[] {
  if (read?.kind !== 'problem') return read ? [read] : [];
  throw new BinauthzError('RESPONSE_INVALID', `cannot read the vulnerabilities in ${resource}: ${read.problem}`, {
    resource,
    hint: NOT_GOOGLE,
  });
}

// A digest is one content wherever it is stored, so what was found in a copy of the image counts as well.
function findingsIn(read: readonly ReadOccurrence[]): readonly Finding[] {
  return read.flatMap((occurrence) => (occurrence.kind === 'findings' ? occurrence.findings : []));
}

// Whether it was scanned is said of this very repository, by Google's scanner alone: whoever may write occurrences in the
// project could say the same under a note of their own. Of several the newest counts, and of equals the one that is not done.
function newestScan(read: readonly ReadOccurrence[], image: PinnedReference): Scan | undefined {
  const names = scannedNames(image);
  const own = read.filter(
    (occurrence): occurrence is ReadScan =>
      occurrence.kind === 'scan' && occurrence.note === SCAN_NOTE && names.includes(bare(occurrence.resourceUri)),
  );
  const [newest, ...older] = own.toSorted((one, other) => other.at - one.at);
  const equals = older.filter(({ at }) => at === newest?.at);
  return (equals.find(({ scan }) => !isWhole(scan)) ?? newest)?.scan;
}

// The scanner calls a gcr.io repository of Artifact Registry by its old name, under whichever name the image was pulled.
function scannedNames(image: PinnedReference): readonly string[] {
  const name = pinnedName(image);
  const [, project, host, rest] = /^[a-z0-9-]+-docker\.pkg\.dev\/(.+?)\/((?:us\.|eu\.|asia\.)?gcr\.io)\/(.+)$/.exec(name) ?? [];
  return rest === undefined ? [name] : [name, `${host ?? ''}/${project ?? ''}/${rest}`];
}

function bare(resourceUri: string): string {
  return resourceUri.replace(/^https?:\/\//, '');
}

function projectOf(image: PinnedReference): string {
  const place = placeOf(image);
  if (place) return place.project;
  throw new BinauthzError(
    'INVALID_INPUT',
    `cannot look for the vulnerabilities of ${pinnedName(image)}: Artifact Analysis scans Google’s registries only`,
    {
      resource: pinnedName(image),
      hint: 'scan it with another scanner and give its report with --findings',
    },
  );
}
