/** Where it is, without the secrets that a URL may hold. */
export const placeOf = (url: string): string => {
  const { hostname, port } = new URL(url)
  return `${hostname}:${port || 6379}`
}

const byCode: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; start Redis, or set REDIS_URL to where it runs.',
  ENOTFOUND: 'there is no host of this name; correct REDIS_URL.',
  EAI_AGAIN: 'the name of the host cannot be looked up at the moment; check REDIS_URL and the name servers.',
  ETIMEDOUT: 'no answer came in time; check REDIS_URL, the network and its firewalls.',
  EHOSTUNREACH: 'no way leads to this host; check REDIS_URL and the network.',
  ENETUNREACH: 'no way leads to this host; check REDIS_URL and the network.',
  EPROTO: 'the two sides do not agree on TLS; use rediss:// if Redis speaks TLS there, else redis://.',
}

const noTls =
  'no answer came in time; if Redis speaks no TLS there, use redis://; else check REDIS_URL, the network and its firewalls.'

const byWords: [RegExp, string][] = [
  [
    /WRONGPASS|invalid password|invalid username-password/i,
    'it refuses the user name or the password; correct them in REDIS_URL.',
  ],
  [/NOAUTH/, 'it asks for a password; put it into REDIS_URL, as in redis://:<password>@<host>.'],
  [
    /NOPERM/,
    'its user may not do what is needed; allow the commands PUBLISH, SUBSCRIBE, INFO and EVALSHA, EVAL, and the channels and keys parley:*.',
  ],
  [/DB index is out of range|invalid DB index/i, 'it has no database of this number; correct the end of REDIS_URL.'],
  [/max number of clients/i, 'it takes no more connections; raise its maxclients.'],
  [
    /MOVED|CROSSSLOT|cluster/i,
    'it is a Redis Cluster, which is not supported; use a single Redis or one with replicas.',
  ],
  [/certificate|self.signed|altname/i, 'its TLS certificate is not trusted; see NODE_EXTRA_CA_CERTS.'],
  [
    /ssl|tls|wrong version number/i,
    'the two sides do not agree on TLS; use rediss:// if Redis speaks TLS there, else redis://.',
  ],
  [
    /Please report this|Protocol error|unknown RESP/i,
    'what answers there does not speak the language of Redis; correct REDIS_URL.',
  ],
  [/closed/i, 'the connection was closed before it answered; check that Redis is what runs there.'],
]

/** What is wrong with Redis, and what to do: one sentence, whatever the driver threw, which may carry the password. */
export const explainRedis = (error: unknown, url: string): string => {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string }
  const reason =
    (code === 'ETIMEDOUT' && url.startsWith('rediss:') ? noTls : byCode[code ?? '']) ??
    byWords.find(([words]) => words.test(message))?.[1] ??
    `${withoutSecrets(message, url)}.`
  return `Redis cannot be used at ${placeOf(url)}: ${reason}`
}

const withoutSecrets = (message: string, url: string): string => {
  const { password } = new URL(url)
  return [password, decodeURIComponent(password)]
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '***'), message || 'no answer came in time')
}
