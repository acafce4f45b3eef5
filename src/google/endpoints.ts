// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../core/errors.js';

/** Google's APIs by the names that gcloud's endpoint overrides use. */
export type ApiName =
  | 'binaryauthorization'
  | 'containeranalysis'
  | 'cloudkms'
  | 'artifactregistry'
  | 'serviceusage'
  | 'cloudresourcemanager'
  | 'container'
  | 'run'
  | 'logging'
  | 'monitoring';

/** Where APIs are other than at Google. */
export interface EndpointOptions {
  /** `127.0.0.1:PORT`: every API is there; wins over overrides. */
  readonly emulatorHost?: string;
  /** The values of `CLOUDSDK_API_ENDPOINT_OVERRIDES_<API>`. */
  readonly endpointOverrides: Readonly<Partial<Record<ApiName, string>>>;
}

/** The absolute URL, ending in a slash, that an API's paths follow. INVALID_INPUT for one that no credential may be sent to. */
export function endpointsOf(options: EndpointOptions): (api: ApiName) => string {
  const { emulatorHost, endpointOverrides } = options;
  if (emulatorHost !== undefined) {
    const base = checked('the emulator host', `http://${emulatorHost}/`);
    if (!isLoopback(base)) throw new BinauthzError('INVALID_INPUT', `the emulator must be on a loopback address, got "${emulatorHost}"`);
    return () => base;
  }
  const bases = new Map<string, string>();
  for (const [api, override] of Object.entries(endpointOverrides))
    bases.set(api, checked(`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api.toUpperCase()}`, override));
  return (api) => bases.get(api) ?? `https://${api}.googleapis.com/`;
}

/** Whether a URL's host is this machine. */
export function isLoopback(url: string): boolean {
  const host = new URL(url).hostname;
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

// What gcloud accepts (an absolute http(s) URL that ends in a slash, a path being a prefix), and no credential in clear
// text over a network.
function checked(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  if (!isPlain || !text.endsWith('/')) {
    throw new BinauthzError('INVALID_INPUT', `${name} must be an absolute http:// or https:// URL that ends in "/", got "${text}"`);
  }
  if (url.protocol === 'http:' && !isLoopback(text)) {
    throw new BinauthzError(
      'INVALID_INPUT',
      `${name} must be https, or be on a loopback address, because credentials are sent there; got "${text}"`,
    );
  }
  return url.href;
}
