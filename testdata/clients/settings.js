// What the tests need to know of the server under test. The names are Laravel's; the defaults fit a local server with
// the credentials below, so that `npm test` can be run by hand against any server that speaks Reverb's protocol.

const env = process.env

export const app = {
  id: env.REVERB_APP_ID ?? 'app-id',
  key: env.REVERB_APP_KEY ?? 'app-key',
  secret: env.REVERB_APP_SECRET ?? 'app-secret',
}

export const server = {
  host: env.REVERB_HOST ?? '127.0.0.1',
  port: Number(env.REVERB_PORT ?? 8080),
}

// control is where a POST to /restart stops the server and starts it again. Without it the tests that need a restart
// are skipped.
export const control = env.REVERB_CONTROL_URL ?? ''

// webhooks is the URL that the server sends its webhooks to. Without it the tests of webhooks are skipped.
export const webhooks = env.REVERB_GO_WEBHOOK_URL ?? ''

// adminToken lets into the inspector.
export const adminToken = env.REVERB_GO_ADMIN_TOKEN ?? ''

// metrics is the address at which the server shows its numbers.
export const metrics = env.REVERB_GO_METRICS_ADDR ?? ''

export const chromium = env.CHROMIUM ?? '/usr/bin/chromium'
export const screenshots = env.REVERB_SCREENSHOTS ?? ''

// The key that encrypts the events of encrypted channels. The server under test never has it.
export const encryptionKey = Buffer.alloc(32, 'reverb').toString('base64')
