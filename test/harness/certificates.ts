import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate and its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority for one test run: no tool and no file of the machine is needed. */
export interface Authority extends Certificate {
  /** For a server on loopback, or for a client called `name`. */
  issue(name: string): Certificate;
}

/** Where the authority's own certificate is, in the folder of the servers it signed for. */
export const AUTHORITY_FILE = 'authority.pem';

const DAY_MS = 86_400_000;

// X.509 by its grammar (RFC 5280), as little of it as servers and clients look at. DER: a tag, a length, the content.
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const set = (...contents: readonly Buffer[]): Buffer => der(0x31, ...contents);
const octets = (content: Buffer): Buffer => der(0x04, content);
const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
const utcTime = (at: Date): Buffer =>
  der(
    0x17,
    Buffer.from(
      `${at
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  );
const TRUE = der(0x01, Buffer.from([0xff]));

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((part) => {
    const septets = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

const ECDSA_WITH_SHA256 = sequence(identifier('1.2.840.10045.4.3.2'));
const nameOf = (commonName: string): Buffer =>
  sequence(set(sequence(identifier('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
const extension = (id: string, value: Buffer, isCritical = false): Buffer =>
  sequence(identifier(id), ...(isCritical ? [TRUE] : []), octets(value));

/** Names under which a server on this machine is called. */
const LOOPBACK = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));

interface Issuing {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly signerId: Buffer;
  readonly isAuthority: boolean;
}

function certificate({ subject, issuer, publicKey, signingKey, signerId, isAuthority }: Issuing): string {
  const from = new Date(Date.now() - DAY_MS);
  const to = new Date(Date.now() + 30 * DAY_MS);
  const extensions = isAuthority
    ? [extension('2.5.29.19', sequence(TRUE), true), extension('2.5.29.14', octets(keyId(publicKey)))]
    : [extension('2.5.29.17', LOOPBACK), extension('2.5.29.14', octets(keyId(publicKey)))];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(utcTime(from), utcTime(to)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions, extension('2.5.29.35', sequence(der(0x80, signerId))))),
  );
  return pem(sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, signingKey))));
}

const keyId = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

export function createAuthority(name: string): Authority {
  const own = newKey();
  const common = { issuer: name, signingKey: own.privateKey, signerId: keyId(own.publicKey) };
  return {
    cert: certificate({ ...common, subject: name, publicKey: own.publicKey, isAuthority: true }),
    key: keyPem(own.privateKey),
    issue(subject) {
      const { publicKey, privateKey } = newKey();
      return { cert: certificate({ ...common, subject, publicKey, isAuthority: false }), key: keyPem(privateKey) };
    },
  };
}
