import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import proxyAddress from '@fastify/proxy-addr'
import type { Intakes } from '../fairness/intake.ts'
import { networkOf } from './client-address.ts'
import { createAddressCounts } from './counts.ts'

/** Those of one network, in whatever state: room for 200 sockets, 200 streams, and the calls between. */
const perNetworkMax = 512

/**
 * Cuts what one network opens beyond its share, lest it take the files of the process, and reads the others no faster than
 * their shares of its time allow. Trusted proxies speak for many.
 */
export const boundConnections = (server: Server, trustedProxies: string[], intakes: Intakes | null): void => {
  const isTrusted = proxyAddress.compile(trustedProxies)
  const counts = createAddressCounts()
  const counted = new WeakSet<Socket>()
  server.on('connection', (socket) => {
    const { remoteAddress } = socket
    // Node has nothing to say of a socket that is closed again; and one may be handed to the server anew.
    if (remoteAddress === undefined || counted.has(socket) || isTrusted(remoteAddress, 0)) return
    const network = networkOf(remoteAddress)
    if (!counts.add(network, perNetworkMax)) return void socket.destroy()
    counted.add(socket)
    socket.once('close', () => counts.remove(network))
    if (intakes === null) return
    readAsStream(socket)
    intakes.of(socket, network)
  })
}

/** Node's parser reads past the stream of its socket, until somebody else listens to that. */
const readAsStream = (socket: Socket): void => {
  const listen = () => {}
  socket.on('data', listen).off('data', listen)
}
