import type { FastifyInstance } from 'fastify'
import { sessionEndedCode } from '../contract/protocol.ts'
import { describeRouter } from '../panel/describe.ts'
import type { PanelOptions } from '../panel/document.ts'
import { appRouter } from '../trpc/router.ts'
import { servePanelDocument } from './panel.ts'

/** Before every call of the SDK, so that what is copied runs as it is. */
const sdkClient = `import { createClient } from '@parley/client'

const client = createClient({ url: {{url}}{{?, token: {{token}}?}} })
`

/** All that the panel is told of this chat besides its router. */
const options: PanelOptions = {
  title: 'Parley',
  links: [
    { label: 'Chat', href: '/' },
    { label: 'REST', href: '/api/docs' },
  ],
  endpoint: '/trpc',
  credentials: {
    headers: { authorization: 'Bearer {{token}}' },
    connectionParams: { token: '{{token}}' },
  },
  signIn: [
    { path: 'register', token: 'session.token', name: 'user.userId' },
    { path: 'login', token: 'session.token', name: 'user.userId' },
  ],
  signOut: 'logout',
  errors: { kind: 'kind', issues: 'issues' },
  finalCloseCodes: [sessionEndedCode],
  snippets: [
    {
      label: 'SDK',
      language: 'js',
      byKind: {
        query: `${sdkClient}console.log(await client.{{procedure}}({{input}}))\nclient.close()`,
        mutation: `${sdkClient}console.log(await client.{{procedure}}({{input}}))\nclient.close()`,
      },
      byProcedure: {
        onMessage: `${sdkClient}for await (const event of client.events({{?{ cursor: {{cursor}} }?}})) console.log(event)`,
        onStatus: `${sdkClient}for await (const event of client.statuses({{input}})) console.log(event.statuses)`,
      },
    },
    {
      label: 'parley',
      language: 'sh',
      byKind: {},
      byProcedure: {
        register: 'npx parley register --url {{url}}{{? --display-name={{input.displayName}}?}} -- {{input.username}}',
        login: 'npx parley login --url {{url}} -- {{input.username}}',
        logout: 'npx parley logout --url {{url}}',
        me: 'npx parley me --url {{url}}',
        updateProfile: 'npx parley profile --url {{url}} --display-name={{input.displayName}}',
        sendMessage:
          'npx parley send --url {{url}}{{? --client-message-id={{input.clientMessageId}}?}} -- {{input.to}} {{input.text}}',
        editMessage:
          'npx parley edit --url {{url}} --revision={{input.revision}} -- {{input.messageId}} {{input.text}}',
        deleteMessage: 'npx parley delete --url {{url}} -- {{input.messageId}}',
        messageVersions: 'npx parley versions --url {{url}} -- {{input.messageId}}',
        markRead: 'npx parley mark-read --url {{url}} -- {{input.messageId}}',
        history:
          'npx parley history --url {{url}}{{? --limit={{input.limit}}?}}{{? --before={{input.before}}?}}' +
          '{{? --after={{input.after}}?}} -- {{input.conversation}}',
        conversations: 'npx parley conversations --url {{url}}{{? --limit={{input.limit}}?}}',
        onlineUsers: 'npx parley online --url {{url}}{{? --limit={{input.limit}}?}}',
        onMessage: 'npx parley listen --url {{url}}',
      },
    },
  ],
}

export const serveParleyPanel = (server: FastifyInstance): void =>
  servePanelDocument(server, '/panel/procedures.json', () => describeRouter(appRouter, options))
