// A bare pub/sub on uWebSockets that speaks just enough of the Pusher protocol to be measured: what its C++
// core costs when nothing is asked of it. It checks no signature, parses no JSON (it cuts strings out where
// the load test is known to put them), keeps no presence and knows no app.
//
//   node uws.js HOST PORT
'use strict'

const uws = require('uWebSockets.js')

const [host, port] = [process.argv[2], Number(process.argv[3])]
let lastId = 0

// cut returns what stands between a beginning and the next quote.
function cut(text, beginning) {
  const from = text.indexOf(beginning)
  if (from < 0) return ''
  const start = from + beginning.length
  return text.slice(start, text.indexOf('"', start))
}

function opened(ws) {
  lastId++
  ws.send('{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"1.' + lastId + '\\",\\"activity_timeout\\":30}"}')
}

function received(ws, bytes) {
  const text = Buffer.from(bytes).toString('latin1')
  if (text.startsWith('{"event":"client-')) {
    ws.publish(cut(text, '"channel":"'), text)
  } else if (text.startsWith('{"event":"pusher:subscribe"')) {
    const channel = cut(text, '"channel":"')
    ws.subscribe(channel)
    ws.send('{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"' + channel + '"}')
  } else if (text.startsWith('{"event":"pusher:unsubscribe"')) {
    ws.unsubscribe(cut(text, '"channel":"'))
  } else if (text.startsWith('{"event":"pusher:ping"')) {
    ws.send('{"event":"pusher:pong"}')
  }
}

// publish turns {"name":"E","channels":["C"],"data":"D"} into the message that subscribers get.
function publish(body) {
  const channel = cut(body, '"channels":["')
  const data = body.indexOf('"data":')
  app.publish(channel, '{"event":"' + cut(body, '"name":"') + '","channel":"' + channel + '",' + body.slice(data))
}

function request(res) {
  let body
  res.onAborted(() => {})
  res.onData((bytes, last) => {
    const part = Buffer.from(bytes).toString('latin1')
    body = body === undefined ? part : body + part
    if (last) {
      publish(body)
      res.end('{}')
    }
  })
}

const app = uws.App()
app.ws('/*', {
  idleTimeout: 0,
  maxBackpressure: 64 << 20,
  maxPayloadLength: 1 << 20,
  open: opened,
  message: received,
})
app.post('/*', request)
app.listen(host, port, (socket) => {
  if (!socket) {
    console.error(`cannot listen on ${host}:${port}`)
    process.exit(1)
  }
})
