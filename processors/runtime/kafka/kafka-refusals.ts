/** What is known of an error besides its message; any error may come by. */
export interface Refusable {
  readonly name?: string;
  /** The broker's error code by name. */
  readonly type?: string;
  /** Node's or OpenSSL's error code by name. */
  readonly code?: unknown;
  readonly message?: string;
}

/** A door that stays shut however often one knocks, or one that may open: in words, with the settings that have the key. */
export interface Refusal {
  readonly reason: string;
  readonly isFinal: boolean;
}

const LOGIN = 'KIZUNA_KAFKA_SASL_MECHANISM, KIZUNA_KAFKA_SASL_USERNAME and KIZUNA_KAFKA_SASL_PASSWORD';

/** Codes by which Node refuses a server's certificate. */
const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_(?!NOT_YET|REJECTED)|INVALID_CA|PATH_LENGTH_EXCEEDED|ERR_TLS_CERT_ALTNAME_INVALID)/;
/** Alerts by which a server refuses a client's certificate, or wants one. */
const ALERT = /SSL alert number (?:4[0-68]|116)\b|alert (?:bad|unknown|expired|revoked|certificate)/i;

/** Why the brokers let this process not in, or not do something; null for any other kind of trouble. */
export function refusalOf(links: readonly Refusable[]): Refusal | null {
  for (const link of links) {
    const refusal = refusalBy(link);
    if (refusal !== null) return refusal;
  }
  return null;
}

function refusalBy({ name, type, code, message = '' }: Refusable): Refusal | null {
  if (type?.endsWith('_AUTHORIZATION_FAILED') === true) {
    return final(`${type}: this user may not, an ACL is missing`);
  }
  if (type !== undefined && /SASL/.test(type)) return final(`the brokers refuse the login (${LOGIN}): ${type}`);
  if (name === 'KafkaJSSASLAuthenticationError') return final(`the brokers refuse the login (${LOGIN}): ${message}`);
  if (name === 'KafkaJSGroupCoordinatorNotFound') {
    // kafkajs tells neither that the brokers refuse to name the coordinator nor any other reason.
    return passing('no broker names its coordinator: most likely this user may not read the group, an ACL is missing');
  }
  if (typeof code === 'string' && UNTRUSTED.test(code)) {
    return final(`the certificate of the brokers is not to be trusted (KIZUNA_KAFKA_SSL_CA): ${code}`);
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return final('the brokers do not speak TLS at this address (KIZUNA_KAFKA_SSL_ENABLED, KIZUNA_KAFKA_BROKERS)');
  }
  if (ALERT.test(message)) {
    const [alert = ''] = /alert [a-z ]+(?=:)/.exec(message) ?? [];
    return final(
      `the brokers refuse this client's certificate (KIZUNA_KAFKA_SSL_CERT, KIZUNA_KAFKA_SSL_KEY): ${alert}`,
    );
  }
  if (message === 'Closed connection') {
    // So do brokers that fall over, too.
    return passing(
      'the brokers close the connection: if they always do, they want TLS (KIZUNA_KAFKA_SSL_ENABLED) or a login (KIZUNA_KAFKA_SASL_MECHANISM)',
    );
  }
  return null;
}

const final = (reason: string): Refusal => ({ reason, isFinal: true });
const passing = (reason: string): Refusal => ({ reason, isFinal: false });
